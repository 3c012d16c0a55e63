"""What the published benchmarks are: data, protocol and published rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

from . import cn_epfl, noddi, oddball
from .bids_writing import Run

ProtocolName = Literal["fixed", "loso"]


class Converter(Protocol):
    """How a download is read; the modules :mod:`.noddi`, :mod:`.oddball` and :mod:`.cn_epfl`."""

    def people(self, downloaded: Path) -> tuple[str, ...]:
        """Everybody in the download, in the order of the folders' names."""

    def runs(self, subject: str, every: bool) -> tuple[Run, ...]:
        """The recordings of a person that a protocol uses; ``every``: of the protocol that uses all."""

    def convert(self, downloaded: Path, run: Run, target: Path) -> None:
        """Write a recording to a BIDS dataset."""

    def is_converted(self, target: Path, run: Run) -> bool:
        """Whether it was written to the end before."""


@dataclass(frozen=True)
class PublishedRow:
    """What a publication reports for a benchmark.

    Attributes
    ----------
    name, doi
        The method, and where it was published.
    scores
        Values under the names of our score of the same convention.
    """

    name: str
    doi: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Benchmark:
    """A dataset with its published protocol.

    Attributes
    ----------
    name, title
        For the command line and for tables.
    source
        Where it is downloaded.
    authors
        Of the dataset.
    converter
        How the download is read.
    is_bids
        The download is BIDS, and the converter writes derivatives of it.
    n_train, n_test
        People of the fixed split of eeg-to-fmri: of those sorted by name the first, and the next.
    loso_uses_every_run
        E2fNet and NT-ViT leave one person out with all recordings, where eeg-to-fmri uses the first of each person.
    published
        Rows to print beside ours.
    """

    name: str
    title: str
    source: str
    authors: tuple[str, ...]
    converter: Converter
    is_bids: bool
    n_train: int
    n_test: int
    loso_uses_every_run: bool
    published: tuple[PublishedRow, ...]


_CALHAS, _E2FNET = "10.48550/arXiv.2203.03481", "10.48550/arXiv.2502.08025"
_NTVIT, _SPEC2VOL = "10.48550/arXiv.2409.11836", "10.48550/arXiv.2505.09521"

BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        "noddi": Benchmark(
            name="noddi",
            title="NODDI",
            source="https://osf.io/94c5t/",
            authors=("F. Deligianni", "M. Centeno", "D. W. Carmichael", "G. H. Zhang", "C. A. Clark", "J. D. Clayden"),
            converter=noddi,
            is_bids=False,
            n_train=8,
            n_test=2,
            loso_uses_every_run=False,
            published=(
                PublishedRow("eeg-to-fmri", _CALHAS, {"rmse": 0.3972, "ssim": 0.4613}),
                PublishedRow("NT-ViT", _NTVIT, {"ssim_unit": 0.581}),
                PublishedRow("E2fNet", _E2FNET, {"ssim_unit": 0.605}),
                PublishedRow("Spec2VolCAMU-Net", _SPEC2VOL, {"ssim_unit": 0.693}),
            ),
        ),
        "oddball": Benchmark(
            name="oddball",
            title="Oddball",
            source="https://legacy.openfmri.org/dataset/ds000116/",
            authors=("J. M. Walz", "R. I. Goldman", "J. Muraskin", "B. Conroy", "T. R. Brown", "P. Sajda"),
            converter=oddball,
            is_bids=False,
            n_train=8,
            n_test=2,
            loso_uses_every_run=True,
            published=(
                PublishedRow("NT-ViT", _NTVIT, {"ssim_unit": 0.627}),
                PublishedRow("E2fNet", _E2FNET, {"ssim_unit": 0.631}),
                PublishedRow("Spec2VolCAMU-Net", _SPEC2VOL, {"ssim_unit": 0.725}),
            ),
        ),
        "cn-epfl": Benchmark(
            name="cn-epfl",
            title="CN-EPFL",
            source="https://openneuro.org/datasets/ds002158",
            authors=("M. Pereira", "N. Faivre", "I. Iturrate", "M. Wirthlin", "O. Blanke", "J. del R. Millan"),
            converter=cn_epfl,
            is_bids=True,
            n_train=16,
            n_test=4,
            loso_uses_every_run=False,
            published=(
                PublishedRow("E2fNet", _E2FNET, {"ssim_unit": 0.674}),
                PublishedRow("Spec2VolCAMU-Net", _SPEC2VOL, {"ssim_unit": 0.788}),
            ),
        ),
    }
)
