"""The JSON that describes every image: what it is, that it is synthetic, and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..bids.recording_file import RecordingFile
from ..bold.grid import Grid
from ..bold.units import BASELINE, UNITS_PER_Z
from ..eeg.recording import Recording, VolumeClock
from .completeness import RELIABILITY, RunHashes, companion_files, signal_files
from .encoding import Encoding
from .evaluated_caps import EvaluatedCaps
from .names import OutputNames, UncertaintyPart
from .provenance import ModelProvenance, is_simulated

SYNTHETIC = "Synthetic BOLD predicted from EEG; not a measurement"
ATLAS_NOTE = (
    "The bundled parcels (Schaefer 2018, 7 networks, with subcortical regions) were drawn in MNI152NLin6 and are "
    "carried over to MNI152NLin2009cAsym by world coordinates, without a warp."
)
TEMPLATE_URI = (
    "https://templateflow.s3.amazonaws.com/tpl-MNI152NLin2009cAsym/tpl-MNI152NLin2009cAsym_res-{resolution}_T1w.nii.gz"
)

_UNITS = "arbitrary"
_PARTS: dict[UncertaintyPart, str] = {
    "total": "Predictive standard deviation of every volume of the synthetic BOLD, aleatoric and epistemic together",
    "aleatoric": "Root mean square over volumes of the aleatoric part of the predictive standard deviation: "
    "what the EEG does not tell about BOLD",
    "epistemic": "Root mean square over volumes of the epistemic part of the predictive standard deviation: "
    "{epistemic}",
}


@dataclass(frozen=True)
class RunFacts:
    """What every sidecar of one recording on one grid states.

    Attributes
    ----------
    names, file, recording, grid
        The outputs' names, the source, what was read from it, and the output grid.
    model, hashes
        What made the outputs and what they depend on.
    """

    names: OutputNames
    file: RecordingFile
    recording: Recording
    grid: Grid
    model: ModelProvenance
    hashes: RunHashes


def bold_sidecar(
    facts: RunFacts,
    *,
    encoding: Encoding,
    clipped: int,
    metrics: Mapping[str, float],
    start_time_s: float = 0.0,
    history_s: float = 26.0,
    compared_with: Mapping[str, Any] | None = None,
    reliability: EvaluatedCaps | None = None,
) -> dict[str, Any]:
    """Sidecar of the synthetic BOLD.

    Parameters
    ----------
    facts
        The recording, its outputs and the model.
    encoding, clipped
        How values are stored, and how many had to be set to the limit of the stored type.
    metrics
        Metrics of the recording, for the group level; a value that is not finite becomes ``null``.
    start_time_s
        Instant within a repetition time that a volume stands for.
    history_s
        Length of the EEG history a volume depends on.
    compared_with
        What the metrics' scores against a scanner's BOLD were computed with; ``None`` when there is none.
    reliability
        What the reliability maps were measured with; ``None`` when there are none.
    """
    recording, clock = facts.recording, facts.recording.clock
    return {
        "TaskName": _task_name(facts.file),
        "RepetitionTime": clock.tr_s,
        "StartTime": start_time_s,
        "SkullStripped": True,
        **_space(facts.grid),
        "Units": _UNITS,
        **_origin(facts),
        "VolumeClock": _clock(clock),
        "IntensityScaling": _scaling(encoding),
        "ClippedVoxels": clipped,
        "IncompleteHistory": _incomplete_history(clock, history_s),
        "EEG": _eeg(recording),
        "Warnings": recording.warnings,
        **({} if compared_with is None else {"ComparedWith": compared_with}),
        **({} if reliability is None else _reliability(facts, reliability)),
        "Metrics": {name: value if np.isfinite(value) else None for name, value in metrics.items()},
        "ParcellationNote": ATLAS_NOTE,
        **facts.hashes.as_metadata,
    }


def uncertainty_sidecar(facts: RunFacts, part: UncertaintyPart) -> dict[str, Any]:
    """Sidecar of a map of the predictive standard deviation."""
    repetition = {"RepetitionTime": facts.recording.clock.tr_s} if part == "total" else {}
    return {
        "SkullStripped": True,
        **repetition,
        **_space(facts.grid),
        "Units": _UNITS,
        **_origin(facts),
        "Description": _PARTS[part].format(epistemic=facts.model.epistemic)
        + f"; in the units of the synthetic BOLD ({UNITS_PER_Z:g} per standard deviation)",
    }


def correlation_sidecar(facts: RunFacts, compared_with: Mapping[str, Any]) -> dict[str, Any]:
    """Sidecar of the map of the correlation over time with the scanner's BOLD."""
    return {
        "SkullStripped": True,
        **_space(facts.grid),
        **_origin(facts),
        "Units": "1",
        "Description": "Correlation over time of the synthetic BOLD with the scanner's BOLD of the same run; "
        "0 where the scanner's image has no signal",
        "ComparedWith": compared_with,
    }


def reliability_sidecar(facts: RunFacts, caps: EvaluatedCaps) -> dict[str, Any]:
    """Sidecar of the map of the expected correlation."""
    return {
        "SkullStripped": True,
        **_space(facts.grid),
        **_origin(facts),
        "Units": "1",
        "Description": "Correlation over time of synthetic with measured BOLD that may be expected of a person whom "
        "the model has not seen, from people held out of its training; not measured on this person",
        **_reliability(facts, caps),
    }


def interpretable_sidecar(facts: RunFacts, caps: EvaluatedCaps) -> dict[str, Any]:
    """Sidecar of the map of where the prediction may be interpreted."""
    return reliability_sidecar(facts, caps) | {
        "Description": "1 where the correlation over time of synthetic with measured BOLD exceeds zero with 90 % "
        "probability in a person whom the model has not seen; 0 elsewhere: the synthetic BOLD should not be "
        "interpreted there",
    }


def boldref_sidecar(facts: RunFacts) -> dict[str, Any]:
    """Sidecar of the mean over time of the synthetic BOLD."""
    return {
        "SkullStripped": True,
        **_space(facts.grid),
        "Units": _UNITS,
        **_origin(facts),
        "Description": "Mean over time of the synthetic BOLD; its baseline is set, not predicted",
        "Sources": [f"bids::{facts.names.bold.relative_to(facts.names.output_dir).as_posix()}"],
    }


def mask_sidecar(facts: RunFacts) -> dict[str, Any]:
    """Sidecar of the brain mask."""
    return {
        "Type": "Brain",
        **_space(facts.grid),
        "Description": "Brain of the template sampled on this grid; not drawn on an image of this person",
        "Synthetic": True,
    }


def source_uris(file: RecordingFile) -> list[str]:
    """BIDS URIs of the files an output was made from."""
    paths = (*signal_files(file.path), *companion_files(file))
    return [
        f"bids:{file.dataset}:{path.relative_to(file.root).as_posix()}" for path in paths if file.root in path.parents
    ]


def _origin(facts: RunFacts) -> dict[str, Any]:
    model = facts.model
    origin: dict[str, Any] = {
        "Description": SYNTHETIC,
        "Synthetic": True,
        "ModelName": model.name,
        "ModelVersion": model.version,
        "ModelSHA256": model.sha256,
        "ModelNetwork": model.network,
        "TrainingDatasets": model.training_datasets,
        "Sources": source_uris(facts.file),
    }
    return origin if model.doi is None else origin | {"ModelDOI": model.doi}


def _reliability(facts: RunFacts, caps: EvaluatedCaps) -> dict[str, Any]:
    return {
        RELIABILITY: {
            "Statement": caps.statement,
            "Electrodes": caps.n_electrodes,
            "ElectrodesOfHeldOutPeople": caps.groups,
            "HeldOutPeople": caps.n_people,
            "HeldOutPeopleOf": facts.model.training_datasets,
            "Simulated": is_simulated(facts.model.training_datasets),
        }
    }


def _space(grid: Grid) -> dict[str, Any]:
    resolution = "02" if grid.resolution == "2" else "01"
    return {"Resolution": grid.description, "SpatialReference": TEMPLATE_URI.format(resolution=resolution)}


def _scaling(encoding: Encoding) -> dict[str, Any]:
    return {
        "Baseline": BASELINE,
        "UnitsPerStandardDeviation": UNITS_PER_Z,
        "Statement": f"Values are {BASELINE:g} + {UNITS_PER_Z:g} z, with z standardised over time. "
        f"The positive baseline {BASELINE:g} is set, not predicted.",
        "DataType": encoding.dtype,
        "Slope": encoding.slope,
        "Intercept": encoding.intercept,
        "Range": encoding.range_units,
    }


def _task_name(file: RecordingFile) -> str:
    """The source's name of the task, if its letters and digits are the label in the file name, as BIDS asks."""
    name = file.sidecar.get("TaskName")
    same = isinstance(name, str) and "".join(filter(str.isalnum, name)) == "".join(filter(str.isalnum, file.task))
    return str(name) if same else file.task


def _clock(clock: VolumeClock) -> dict[str, Any]:
    return {
        "FirstVolumeOnset": clock.first_volume_onset_s,
        "Source": clock.source,
        "Missing": clock.missing,
    }


def _incomplete_history(clock: VolumeClock, history_s: float) -> dict[str, Any]:
    missing_s = max(history_s - clock.first_volume_onset_s, 0.0)
    return {
        "Seconds": missing_s,
        "Volumes": min(math.ceil(missing_s / clock.tr_s), clock.n_volumes),
        "Statement": f"A volume depends on {history_s:g} s of EEG before it. Where the recording does not reach back "
        "so far, the missing history is taken as average and the uncertainty is larger.",
    }


def _eeg(recording: Recording) -> dict[str, Any]:
    cleaning = recording.cleaning
    return {
        "SamplingFrequency": recording.source_sfreq_hz,
        "SamplingFrequencyUsed": recording.sfreq_hz,
        "Duration": recording.duration_s,
        "ChannelsUsed": [name for name, good in zip(recording.channel_names, recording.good, strict=True) if good],
        "ChannelsBad": cleaning.bad_channels,
        "ChannelsLeftOut": recording.left_out,
        "ElectrodePositions": recording.positions_source,
        "Reference": recording.reference,
        "Cleaning": cleaning.steps,
        "LineFrequencyRemoved": cleaning.line_frequency_hz,
        "BadSegments": cleaning.bad_segments_s,
    }
