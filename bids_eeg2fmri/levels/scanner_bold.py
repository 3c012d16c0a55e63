"""The BOLD that a scanner recorded during a recording's EEG: found, opened, and on one clock with it.

Whatever is wrong with it costs the scores, never the recording: it becomes a warning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from ..bids.recording_file import RecordingFile
from ..bids.selection import RAW
from ..bold.bold_timing import same_tr
from ..bold.real_bold import RealBold, check_clock, read_real_bold
from ..derivatives.dataset import dataset_name
from ..eeg.recording import Recording, VolumeClock
from ..errors import BadDataError, Eeg2fmriError
from ..settings import Settings
from .model import Model
from .scanner_file import Found

logger = logging.getLogger(__name__)

# Share of the repetition time.
_LARGEST_SHIFT = 0.1


@dataclass(frozen=True)
class ScannerBold:
    """The scanner's BOLD of a run, on the clock of the EEG.

    Attributes
    ----------
    image
        The image, opened.
    uri
        Its BIDS URI.
    simulated
        Whether a simulated scanner made it.
    confounds
        Columns that are regressed out of it.
    """

    image: RealBold
    uri: str
    simulated: bool
    confounds: tuple[str, ...]

    @property
    def metadata(self) -> dict[str, Any]:
        """The sidecars' ``ComparedWith``."""
        return {
            "Source": self.uri,
            "Simulated": self.simulated,
            "Volumes": self.image.n_volumes,
            "StartTime": self.image.start_time_s,
            "ConfoundsRegressed": list(self.confounds),
        }


def meet_scanner(
    found: Found, file: RecordingFile, recording: Recording, model: Model, settings: Settings
) -> tuple[Recording, ScannerBold | None]:
    """Open the scanner's BOLD of a recording and bring both on one clock.

    Parameters
    ----------
    found
        What there is.
    file, recording
        The EEG, as found and as read.
    model
        What the BOLD is predicted with.
    settings
        Where the datasets are, and the confounds to regress out.

    Returns
    -------
    tuple
        The recording, on the clock of the scanner's volumes and with what is to be said of them among its warnings;
        and the BOLD to compare with, or ``None``.
    """
    if found.problem is not None:
        return _without(recording, found.problem, settings), None
    if found.file is None:
        return recording, None
    try:
        image = read_real_bold(found.file, confound_columns=settings.confounds)
        clock = _common_clock(recording, image, settings)
    except Eeg2fmriError as error:
        return not_compared(recording, error, settings), None
    for sentence in (*_doubts(recording, image, model), *_familiar(file, model, settings)):
        recording = warned(recording, sentence)
    root = settings.bids_dir if found.file.dataset == RAW else settings.derivatives[found.file.dataset]
    uri = f"bids:{found.file.dataset}:{found.file.path.relative_to(root).as_posix()}"
    simulated = found.file.sidecar.get("Simulated") is True
    return replace(recording, clock=clock), ScannerBold(image, uri, simulated, settings.confounds)


def not_compared(recording: Recording, error: Eeg2fmriError, settings: Settings) -> Recording:
    """The recording with the warning that stands for its scores."""
    return warned(recording, _reason(error, settings))


def warned(recording: Recording, sentence: str) -> Recording:
    """The recording with one more thing to say, which the log says at once."""
    logger.warning("%s: %s", recording.source.name, sentence)
    return replace(recording, warnings=(*recording.warnings, sentence))


def _without(recording: Recording, problem: Eeg2fmriError, settings: Settings) -> Recording:
    """Whoever gave derivatives may expect that they are used; others did not ask for the scanner's raw images."""
    if settings.derivatives:
        return not_compared(recording, problem, settings)
    logger.info("%s: %s", recording.source.name, _reason(problem, settings))
    return recording


def _reason(error: Eeg2fmriError, settings: Settings) -> str:
    """Why there are no scores; paths are relative to their datasets, which may be moved."""
    text = str(error)
    for root in (settings.bids_dir, *settings.derivatives.values()):
        text = text.replace(f"{root}/", "")
    return f"Not compared with the scanner's BOLD: {text}"


def _common_clock(recording: Recording, image: RealBold, settings: Settings) -> VolumeClock:
    asked_s = settings.tr_s
    if asked_s is not None and not same_tr(asked_s, image.tr_s):
        raise BadDataError(
            f"--tr asks for a volume every {asked_s:g} s, the scanner's image has one every {image.tr_s:g} s.",
            path=image.source,
            remedy="Leave --tr out to have both on one clock.",
        )
    return check_clock(recording.clock, image, recording.source, duration_s=recording.duration_s)


def _doubts(recording: Recording, image: RealBold, model: Model) -> list[str]:
    doubts = []
    if recording.clock.source.startswith("assumed"):
        doubts.append(
            f"The EEG has no volume markers: {image.n_volumes} volumes every {image.tr_s:g} s are those of "
            f"{image.source.name}, and it is assumed that its first one starts with the EEG."
        )
    if not model.any_instant and abs(image.start_time_s - model.start_time_s) > _LARGEST_SHIFT * image.tr_s:
        doubts.append(
            f"A synthetic volume stands for {model.start_time_s:g} s after its onset, the scanner's for "
            f"{image.start_time_s:g} s: the scores are a little too low."
        )
    return doubts


def _familiar(file: RecordingFile, model: Model, settings: Settings) -> list[str]:
    if not model.was_trained_on(file.subject, dataset_name(settings.bids_dir)):
        return []
    return [f"The model was trained on sub-{file.subject} of this dataset: the scores say nothing about other people."]
