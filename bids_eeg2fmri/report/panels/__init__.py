"""The panels of a recording's report, one a file, declared here in the order of the page."""

from __future__ import annotations

from ..panel import FigurePanel, Panel, TextPanel
from .banner import collect_banner
from .boldref import draw_boldref
from .calibration import draw_calibration
from .carpet import draw_carpet
from .confounds import draw_confounds
from .eegquality import draw_eegquality
from .features import draw_features
from .inputs import collect_inputs
from .methods import collect_methods
from .montage import draw_montage
from .outputs import collect_outputs
from .parcels import draw_parcels
from .reliability import draw_reliability
from .scores import collect_scores
from .tstd import draw_tstd
from .uncertainty import draw_uncertainty
from .versus import draw_versus

EEG = "EEG"
BOLD = "Synthetic BOLD"
VERSUS = "Against the scanner's BOLD"
ABOUT = "About"

PANELS: tuple[Panel, ...] = (
    TextPanel(
        "Summary",
        "banner",
        "What this is",
        "Everything below under “Synthetic BOLD” was predicted by the model named here. It is a statement about what "
        "the model expects, not about what a scanner would have seen.",
        collect_banner,
    ),
    TextPanel(
        "Summary",
        "inputs",
        "Inputs",
        "One row per property of the recording. OK: as it should be. Look: usable, read on before you trust it. Poor: "
        "expect little. The rule of each light stands in its row.",
        collect_inputs,
    ),
    FigurePanel(
        EEG,
        "montage",
        "Montage",
        "Left: filled electrodes are used, orange ones were bad, dotted circles are sites of the 10-20 system without "
        "an electrode. Check that left and right, front and back are where the cap had them. Right: how well this cap "
        "sees each parcel; dark parcels are mostly guessed from what the model learned, not from this EEG. A model "
        "with a cap of its own has that cap there instead: orange channels were interpolated.",
        draw_montage,
    ),
    FigurePanel(
        EEG,
        "eegquality",
        "EEG quality",
        "Spectra of every channel before and after cleaning: expect a falling curve with an alpha bump near 10 Hz and "
        "no line peak on the right. A channel far from the others that is not orange was missed. Below: bad segments, "
        "and the stretch of EEG that has volumes.",
        draw_eegquality,
    ),
    FigurePanel(
        EEG,
        "features",
        "Features",
        "The band power of parcels, or the band amplitudes of channels, that the network received, standardised over "
        "time (red above, blue below the mean). Slow waves "
        "are what it reads; a narrow column of one colour across all bands is an artefact that cleaning left in, and "
        "the BOLD of the seconds after it should not be trusted.",
        draw_features,
    ),
    FigurePanel(
        BOLD,
        "reliability",
        "Reliability",
        "How far people whom the model had never seen were predicted with caps of this size. Read everything below "
        "inside the yellow line only: outside it, zero correlation with measured BOLD cannot be ruled out. It says "
        "nothing about this person, and of a model trained on simulations it holds for simulated people.",
        draw_reliability,
    ),
    FigurePanel(
        BOLD,
        "boldref",
        "Reference and space",
        "Mean of the synthetic series over the template, cut at fixed MNI coordinates (mm; left is left). The outline "
        "must follow the template's brain in every cut. The mean is a set baseline, not a prediction: a flat map is "
        "expected.",
        draw_boldref,
    ),
    FigurePanel(
        BOLD,
        "tstd",
        "Variation over time",
        "Where the synthetic series varies, and tSNR. More variation means that the model commits itself to more "
        "there. The numbers follow from the set scale and cannot be compared with a scanner's.",
        draw_tstd,
    ),
    FigurePanel(
        BOLD,
        "carpet",
        "Carpet",
        "Rows are voxels, ordered by tissue; all rows share one time axis. Look for columns that coincide with bad "
        "EEG, novelty above the dotted line (95th percentile of training) or a step in the predictive sd: there the "
        "picture shows the EEG's artefacts, not the brain. Shaded: volumes whose EEG history is incomplete.",
        draw_carpet,
    ),
    FigurePanel(
        BOLD,
        "uncertainty",
        "Uncertainty",
        "Predictive standard deviations. Epistemic: the model's members disagree, more training data would help. "
        "Aleatoric: noise that EEG cannot resolve. Relative: above 1 the uncertainty is larger than the predicted "
        "signal, and single voxels there should not be interpreted.",
        draw_uncertainty,
    ),
    FigurePanel(
        BOLD,
        "parcels",
        "Networks",
        "Mean series of four networks; the band is two predictive sd, drawn as if the errors of a network's parcels "
        "were fully correlated (the widest case). Grey: most of its parcels should not be interpreted. "
        "Below: spectra. Most power should lie in the shaded band; narrow peaks would be marks of the processing.",
        draw_parcels,
    ),
    FigurePanel(
        BOLD,
        "confounds",
        "Confounds",
        "Tissue means of the synthetic series, as in the confounds table. They describe the model's output and are no "
        "physiological noise; motion columns exist only because other tools ask for them.",
        draw_confounds,
    ),
    TextPanel(
        VERSUS,
        "scores",
        "Scores",
        "A scanner recorded BOLD during this EEG. A score means something above chance and above the mean volume, "
        "which needs no EEG. Source power shows how far one comes without training, the previous volume how much BOLD "
        "resembles itself.",
        collect_scores,
        needs_comparison=True,
    ),
    FigurePanel(
        VERSUS,
        "versus",
        "Synthetic against scanner",
        "Correlation over time with the scanner's BOLD. Expect positive values in cortex under electrodes, and points "
        "above the shaded range. Many points inside it: this EEG told the model nothing there. A correlation that is "
        "high everywhere alike, white matter included, is a shared artefact such as movement.",
        draw_versus,
        needs_comparison=True,
    ),
    FigurePanel(
        VERSUS,
        "calibration",
        "Calibration",
        "An interval that says 90 % should hold 90 % of the scanner's values. Fewer: the predictive sd is too small, "
        "and the uncertainty maps promise too much. More: it is too large.",
        draw_calibration,
        needs_comparison=True,
    ),
    TextPanel(
        ABOUT,
        "outputs",
        "Outputs",
        "Files of this recording, relative to the output directory, with size and sha256.",
        collect_outputs,
    ),
    TextPanel(
        ABOUT,
        "methods",
        "Methods",
        "What was done to this recording. May be copied into a paper (CC0).",
        collect_methods,
    ),
)
