"""The methods text that a user may copy into a paper."""

from __future__ import annotations

from importlib.metadata import version

from .. import __version__
from .provenance import ModelProvenance
from .sidecars import ATLAS_NOTE

_TEXT = """\
# Methods boilerplate

The text below may be copied unchanged into a manuscript; it is in the public domain (CC0).

Synthetic BOLD images were predicted from the EEG of {source} with *bids_eeg2fmri* {version}, a BIDS App
(Gorgolewski et al., 2016, 2017; Pernet et al., 2019). **They are not measurements.** EEG was read with
*MNE-Python* {mne} (Gramfort et al., 2013), referenced
to the average of the good channels and cleaned as the sidecar of every image lists. The model {model}
{model_version} (network {network}, sha256 `{sha256}`), trained on {training}, predicted every volume
and its standard deviation, which is the sum of an aleatoric and an epistemic part, with *JAX* {jax} and
*Flax* {flax}. Images are in the space MNI152NLin2009cAsym (Fonov et al., 2011), in arbitrary units of
1000 + 10 z with z standardised over time; the baseline of 1000 is set, not predicted. {atlas}
(Schaefer et al., 2018). Head motion in the confounds is zero by construction. Images were written with
*NiBabel* {nibabel}.

## References

- The EEG dataset: {source}{source_doi}
- The model: {model} {model_version}{model_doi}
- Fonov V, et al. (2011). Unbiased average age-appropriate atlases for pediatric studies. NeuroImage 54(1), 313-327.
  https://doi.org/10.1016/j.neuroimage.2010.07.033
- Gorgolewski KJ, et al. (2016). The brain imaging data structure, a format for organizing and describing outputs of
  neuroimaging experiments. Scientific Data 3, 160044. https://doi.org/10.1038/sdata.2016.44
- Gorgolewski KJ, et al. (2017). BIDS apps: Improving ease of use, accessibility, and reproducibility of neuroimaging
  data analysis methods. PLOS Computational Biology 13(3), e1005209. https://doi.org/10.1371/journal.pcbi.1005209
- Gramfort A, et al. (2013). MEG and EEG data analysis with MNE-Python. Frontiers in Neuroscience 7, 267.
  https://doi.org/10.3389/fnins.2013.00267
- Pernet CR, et al. (2019). EEG-BIDS, an extension to the brain imaging data structure for electroencephalography.
  Scientific Data 6, 103. https://doi.org/10.1038/s41597-019-0104-8
- Schaefer A, et al. (2018). Local-global parcellation of the human cerebral cortex from intrinsic functional
  connectivity MRI. Cerebral Cortex 28(9), 3095-3114. https://doi.org/10.1093/cercor/bhx179
"""


def boilerplate(model: ModelProvenance, source_name: str | None = None, source_doi: str | None = None) -> str:
    """Methods text with the versions at hand and references, in Markdown.

    Parameters
    ----------
    model
        The model that made the outputs.
    source_name, source_doi
        Name and DOI of the EEG dataset, when it has them.
    """
    return _TEXT.format(
        source=source_name or "the source dataset",
        source_doi="" if source_doi is None else f", {source_doi}",
        version=__version__,
        model=model.name,
        model_version=model.version,
        model_doi="" if model.doi is None else f", {model.doi}",
        network=model.network,
        sha256=model.sha256,
        training=", ".join(model.training_datasets) or "data that its bundle does not state",
        atlas=ATLAS_NOTE.removesuffix("."),
        mne=version("mne"),
        jax=version("jax"),
        flax=version("flax"),
        nibabel=version("nibabel"),
    )
