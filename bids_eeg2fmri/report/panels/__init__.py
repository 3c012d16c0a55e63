"""The panels of a recording's report, one a file, declared here in the order of the page."""

from __future__ import annotations

from ..panel import FigurePanel, InteractivePanel, Panel, TextPanel
from ..run import RunReport
from .banner import collect_banner
from .boldref import draw_boldref
from .calibration import draw_calibration
from .carpet import draw_carpet
from .confounds import draw_confounds
from .connectivity import draw_connectivity
from .eegquality import draw_eegquality
from .eventlocked import draw_eventlocked, has_locked_events
from .features import draw_features
from .inputs import collect_inputs
from .methods import collect_methods
from .montage import draw_montage
from .novelty import draw_novelty
from .outputs import collect_outputs
from .parcels import draw_parcels
from .relevance import draw_attention, draw_relevance, has_attention, has_explanation
from .reliability import draw_reliability
from .scores import collect_scores
from .sderror import draw_sderror, has_errors
from .tstd import draw_tstd
from .uncertainty import draw_uncertainty
from .versus import draw_versus
from .viewer import has_film, make_viewer

SUMMARY = "Summary"
EEG = "EEG"
BOLD = "Synthetic BOLD"
VERSUS = "Against the scanner's BOLD"
ABOUT = "About"


def _was_compared(run: RunReport) -> bool:
    return run.comparison is not None


PANELS: tuple[Panel, ...] = (
    TextPanel(
        SUMMARY,
        "banner",
        "What this is",
        "Which model made these images, and from what was it trained?",
        "Everything below under “Synthetic BOLD” was predicted by the model named here. It is a statement about what "
        "the model expects, not about what a scanner would have seen.",
        "Another model, or other training data, than you meant.",
        collect_banner,
    ),
    TextPanel(
        SUMMARY,
        "inputs",
        "Inputs",
        "Was this EEG fit for the model?",
        "One row per property of the recording. OK: as it should be. Look: usable, read on before you trust it. Poor: "
        "expect little. The rule of each light stands in its row.",
        "Any light that says poor, or several that say look.",
        collect_inputs,
    ),
    FigurePanel(
        EEG,
        "montage",
        "Montage",
        "Are the electrodes where the cap had them, and what of the brain can they see?",
        "Left: filled electrodes are used, orange ones were bad, dotted circles are sites of the 10-20 system without "
        "an electrode. Right: how well this cap sees each parcel. A model with a cap of its own has that cap there "
        "instead: orange channels were interpolated.",
        "Left and right or front and back exchanged, or large parts of the head without electrodes: dark parcels are "
        "mostly guessed from what the model learned.",
        draw_montage,
    ),
    FigurePanel(
        EEG,
        "eegquality",
        "EEG quality",
        "Does the cleaned EEG look like EEG?",
        "Spectra of every channel before and after cleaning: expect a falling curve with an alpha bump near 10 Hz and "
        "no line peak on the right. Below: bad segments, and the stretch of EEG that has volumes.",
        "A channel far from the others that is not orange, flat spectra (muscle), a line peak that stayed, or long bad "
        "segments.",
        draw_eegquality,
    ),
    FigurePanel(
        EEG,
        "features",
        "Features",
        "What did the network receive?",
        "The band power of parcels, or the band amplitudes of channels, standardised over time (red above, blue below "
        "the mean). Slow waves that differ between bands are what it reads.",
        "Narrow columns of one colour across all bands: an artefact that cleaning left in; the BOLD of the seconds "
        "after it should not be trusted.",
        draw_features,
    ),
    FigurePanel(
        EEG,
        "novelty",
        "Novelty",
        "Does the model know this kind of EEG?",
        "How far every volume's features lie from those of the training people, as a percentile of volumes of people "
        "it was not trained on, and which of the distances is large. Values spread over 0-100 are usual. Shaded: "
        "volumes whose EEG history is incomplete.",
        "A curve that stays above the dotted line (95): the model guesses beyond what it has seen, and its uncertainty "
        "is widened, but may still be too small.",
        draw_novelty,
    ),
    FigurePanel(
        BOLD,
        "reliability",
        "Reliability",
        "Where may this be interpreted at all?",
        "How far people whom the model had never seen were predicted with caps of this size. Read everything below "
        "inside the yellow line only. It says nothing about this person, and of a model trained on simulations it "
        "holds for simulated people.",
        "Little or nothing inside the line: outside it, zero correlation with measured BOLD cannot be ruled out.",
        draw_reliability,
    ),
    FigurePanel(
        BOLD,
        "boldref",
        "Reference and space",
        "Do the images lie in the template's space?",
        "Mean of the synthetic series over the template, cut at fixed MNI coordinates (mm; left is left). The mean is "
        "a set baseline, not a prediction: a flat map is expected.",
        "An outline that does not follow the template's brain in every cut: a wrong reference image.",
        draw_boldref,
    ),
    FigurePanel(
        BOLD,
        "tstd",
        "Variation over time",
        "Where does the prediction vary?",
        "Standard deviation over time, and tSNR. More variation means that the model commits itself to more there. The "
        "numbers follow from the set scale and cannot be compared with a scanner's.",
        "No difference between grey and white matter, or most variation far from all electrodes.",
        draw_tstd,
    ),
    FigurePanel(
        BOLD,
        "carpet",
        "Carpet",
        "Does the series follow the brain, or the artefacts of the EEG?",
        "Rows are voxels, ordered by tissue; all rows share one time axis. Expect slow waves that are common to many "
        "voxels and a steady predictive sd. Shaded: volumes whose EEG history is incomplete.",
        "Columns that coincide with bad EEG, with novelty above the dotted line (95th percentile) or with a step in "
        "the predictive sd.",
        draw_carpet,
    ),
    InteractivePanel(
        BOLD,
        "viewer",
        "Slices over time",
        "What does the model predict at a given moment, and how sure is it there?",
        "Left the prediction, right its standard deviation, in axial slices every 8 mm at up to 40 moments of the "
        "recording. Drag the sliders or use the arrow keys. The colours are the same at all times.",
        "A prediction that is much smaller than its sd everywhere: single moments then say little, as is usual.",
        make_viewer,
        only_with=has_film,
    ),
    FigurePanel(
        BOLD,
        "uncertainty",
        "Uncertainty",
        "How sure is the model, and what would make it surer?",
        "Predictive standard deviations. Epistemic: the model's members disagree, more training data would help. "
        "Aleatoric: noise that EEG cannot resolve. Relative: the uncertainty over the predicted signal.",
        "Relative values above 1 nearly everywhere (single voxels should not be interpreted), or a large epistemic "
        "part: this EEG is unlike the training data.",
        draw_uncertainty,
    ),
    FigurePanel(
        BOLD,
        "calibration",
        "Calibration",
        "Do the uncertainties hold what they say?",
        "An interval that says 90 % should hold 90 % of the values. Stated by the model for people it had not seen; "
        "with a scanner's BOLD of this run, for this recording as well.",
        "Points below the diagonal, bars to the left: the predictive sd is too small, and the uncertainty maps promise "
        "too much. This recording far from the held-out people: their calibration does not carry over.",
        draw_calibration,
    ),
    FigurePanel(
        BOLD,
        "parcels",
        "Networks",
        "Are the series of networks plausible as BOLD?",
        "Mean series of four networks; the band is two predictive sd, drawn as if the errors of a network's parcels "
        "were fully correlated (the widest case). Grey: most of its parcels should not be interpreted. Below: spectra, "
        "most of whose power should lie in the shaded band.",
        "Narrow peaks in the spectra (marks of the processing or of a periodic artefact), or four series that are the "
        "same.",
        draw_parcels,
    ),
    FigurePanel(
        BOLD,
        "connectivity",
        "Connectivity",
        "Is the connectivity this person's, or the same for everybody?",
        "Correlations between parcels, ordered by network, in this recording and in the people that the model was "
        "trained on, and their difference. The training people's matrix follows from the patterns of BOLD that the "
        "model holds; predictions are smoother than measurements, so their correlations are larger.",
        "A red sentence below the matrices, or a difference without structure: the model repeats the population's "
        "connectivity.",
        draw_connectivity,
    ),
    FigurePanel(
        BOLD,
        "eventlocked",
        "Around events",
        "Does the prediction answer to the task as BOLD would?",
        "Mean of three networks around the most frequent types of events, less the mean of the seconds before. Grey: "
        "what 95 % of means reach when the events are shifted in time. A response of BOLD rises 4-6 s after its event.",
        "Curves inside the grey range (no response was predicted), or a response that begins before the event: "
        "blocks or artefacts at fixed times.",
        draw_eventlocked,
        only_with=has_locked_events,
    ),
    FigurePanel(
        BOLD,
        "confounds",
        "Confounds",
        "What do the columns of the confounds table hold?",
        "Tissue means of the synthetic series, as in the confounds table. They describe the model's output; motion "
        "columns exist only because other tools ask for them.",
        "None by itself: using them as physiological noise would be wrong, for there is none in the prediction.",
        draw_confounds,
    ),
    FigurePanel(
        BOLD,
        "relevance",
        "What the prediction rests on",
        "Which electrodes, frequencies and seconds before a volume does each region's prediction come from?",
        "A row per region, a head per band, from above with the nose at the top: the share of the predicted variance "
        "that comes from each electrode (red: carries it, blue: works against it; colours of a row end at the number "
        "beside it), under it the band's share, at the right the share by lag. It shows what the model used, not what "
        "the brain did.",
        "One electrode at the rim that carries every region, or most of the relevance above 30 Hz at temporal "
        "electrodes: the prediction follows muscles or a bad contact.",
        draw_relevance,
        only_with=has_explanation,
    ),
    FigurePanel(
        BOLD,
        "attention",
        "Electrode graph",
        "Which electrodes does the network mix with each other before it looks at them?",
        "Mean attention over the explained volumes: arrows go from the electrode that is taken from to the one whose "
        "signal is made. Attention is a weight, not a sign of how brain regions are connected.",
        "All arrows from one electrode: its amplitudes outweigh all others', as those of a bad contact do.",
        draw_attention,
        only_with=has_attention,
    ),
    TextPanel(
        VERSUS,
        "scores",
        "Scores",
        "How well does the prediction follow what the scanner recorded?",
        "A scanner recorded BOLD during this EEG. A score means something above chance and above the mean volume, "
        "which needs no EEG. Source power shows how far one comes without training, the previous volume how much BOLD "
        "resembles itself.",
        "A first row within chance, or below that of source power, which is not trained.",
        collect_scores,
        only_with=_was_compared,
    ),
    FigurePanel(
        VERSUS,
        "versus",
        "Synthetic against scanner",
        "Where does the prediction follow the scanner, and is it more than chance?",
        "Correlation over time with the scanner's BOLD, by voxel, by parcel and as distributions beside those of "
        "series shifted in time. Expect positive values in cortex under electrodes, and points above the shaded range.",
        "Points inside the shaded range (this EEG told the model nothing there), or a correlation that is high "
        "everywhere alike, white matter included: a shared artefact such as movement.",
        draw_versus,
        only_with=_was_compared,
    ),
    FigurePanel(
        VERSUS,
        "sderror",
        "Uncertainty against error",
        "Is the prediction farther off where it says that it is unsure?",
        "Left: parcels and volumes in groups of equal size, ordered by the stated standard deviation, with the error "
        "that was found in each. Right: the errors in stated standard deviations, which should follow the curve.",
        "Groups far above the diagonal (the model is too sure), or a flat row of groups: the stated uncertainty does "
        "not tell good moments from bad ones.",
        draw_sderror,
        only_with=has_errors,
    ),
    TextPanel(
        ABOUT,
        "outputs",
        "Outputs",
        "Which files belong to this recording?",
        "Files of this recording, relative to the output directory, with size and sha256.",
        "A file that is not there, or a hash that differs from the file's: it was changed later.",
        collect_outputs,
    ),
    TextPanel(
        ABOUT,
        "methods",
        "Methods",
        "What was done to this recording?",
        "May be copied into a paper (CC0).",
        "A step that you did not expect.",
        collect_methods,
    ),
)
