"""Measured BOLD as what a network should have predicted: series at points, cleaned and standardised over time."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..bids.bids_name import parse_name
from ..bids.bold_file import OWN_RECONSTRUCTION, BoldFile, is_synthetic
from ..eeg.recording import VolumeClock
from ..errors import BadDataError, UsageError
from .bold_timing import read_timing, same_tr
from .confound_columns import read_confounds
from .trilinear import trilinear_weights
from .volume_stream import open_image, stream_voxels

logger = logging.getLogger(__name__)

MIN_VOLUMES = 10
_POINTS_AT_ONCE = 8192
# BOLD fluctuates by a hundredth to a thousandth of its mean: less than this is rounding.
_LEAST_RELATIVE_SD = 1e-6
_ASSUMED = "assumed"


@dataclass(frozen=True)
class Targets:
    """Measured BOLD at points.

    Attributes
    ----------
    z
        Cleaned series, standardised over time; 0 where not valid.
    mean, sd
        Mean, and standard deviation over time of the cleaned series, in the image's own units;
        the image is ``mean + sd * z`` without what cleaning took away. 0 where not valid.
    valid
        Points inside the image and its mask whose series varies.
    """

    z: Float[np.ndarray, "volumes points"]
    mean: Float[np.ndarray, " points"]
    sd: Float[np.ndarray, " points"]
    valid: Bool[np.ndarray, " points"]


@dataclass(frozen=True)
class RealBold:
    """A measured BOLD image in MNI152NLin2009cAsym; its volumes stay on disk. Made by :func:`read_real_bold`.

    Attributes
    ----------
    source
        The image.
    tr_s, n_volumes
        Repetition time in seconds and number of volumes.
    start_time_s
        Instant within the repetition time that a volume's value stands for.
    affine, shape
        Voxel indices to MNI millimetres, and the number of voxels along each axis.
    mask
        The brain mask, or ``None``.
    confounds
        What is regressed out of every series, or ``None``.
    discarded
        Numbers of volumes that the sidecar says were acquired before the first one and left out.
    """

    source: Path
    tr_s: float
    n_volumes: int
    start_time_s: float
    affine: Float[np.ndarray, "4 4"]
    shape: tuple[int, int, int]
    mask: Path | None = None
    confounds: Float[np.ndarray, "volumes columns"] | None = None
    discarded: tuple[int, ...] = ()

    def targets(self, points_mm: Float[np.ndarray, "points 3"]) -> Targets:
        """Series at MNI coordinates: trilinear, detrended, without the confounds, standardised over time.

        Memory is one float32 value per volume and point; the image itself is streamed.

        Raises
        ------
        BadDataError
            The file ends early, no point lies inside image and mask, or none of the series varies.
        MissingInputError
            The mask's content is not here.
        """
        weights, inside = trilinear_weights(points_mm, self.affine, self.shape)
        candidates = inside & self._in_mask(points_mm)
        if not candidates.any():
            raise BadDataError(
                f"none of {len(points_mm)} points of the template's brain lies inside the image and its mask.",
                path=self.source,
                remedy="Give BOLD in MNI152NLin2009cAsym.",
            )
        series = self._sample(weights)
        candidates &= np.isfinite(series).all(axis=0)
        return self._standardise(series, np.flatnonzero(candidates))

    def _in_mask(self, points_mm: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """Points whose voxels lie, by half of their weight, in the mask."""
        if self.mask is None:
            return np.ones(len(points_mm), bool)
        image = open_image(self.mask)
        if len(image.shape) != 3:
            raise BadDataError(f"a mask of shape {image.shape}.", path=self.mask, remedy="Give a 3-D mask.")
        weights, _ = trilinear_weights(points_mm, image.affine, image.shape)
        used = np.unique(weights.indices)
        brain = next(stream_voxels(image, self.mask, used)) > 0
        return weights[:, used] @ brain.astype(np.float32) >= 0.5

    def _sample(self, weights: Any) -> Float[np.ndarray, "volumes points"]:
        used = np.unique(weights.indices)
        narrow = weights[:, used]
        series = np.empty((self.n_volumes, weights.shape[0]), np.float32)
        for index, voxels in enumerate(stream_voxels(open_image(self.source), self.source, used)):
            series[index] = narrow @ voxels
        return series

    def _standardise(self, series: Float[np.ndarray, "volumes points"], candidates: np.ndarray) -> Targets:
        """Clean and standardise some points, in place."""
        # Brings all of scikit-learn along, which recordings without a scanner's BOLD need not wait for.
        from nilearn.signal import clean

        n_points = series.shape[1]
        mean, sd, valid = np.zeros(n_points, np.float32), np.zeros(n_points, np.float32), np.zeros(n_points, bool)
        for start in range(0, len(candidates), _POINTS_AT_ONCE):
            block = candidates[start : start + _POINTS_AT_ONCE]
            values = series[:, block].astype(float)
            cleaned = clean(
                values, detrend=True, standardize=None, confounds=self.confounds, filter=False, t_r=self.tr_s
            )
            block_mean, block_sd = values.mean(axis=0), cleaned.std(axis=0)
            varies = block_sd > _LEAST_RELATIVE_SD * (np.abs(block_mean) + values.std(axis=0))
            chosen = block[varies]
            series[:, chosen] = (cleaned[:, varies] - cleaned[:, varies].mean(axis=0)) / block_sd[varies]
            mean[chosen], sd[chosen], valid[chosen] = block_mean[varies], block_sd[varies], True
        if not valid.any():
            raise BadDataError(
                f"the image does not vary over its {self.n_volumes} volumes.",
                path=self.source,
                remedy="Make it again, or leave this run out.",
            )
        series[:, ~valid] = 0
        return Targets(series, mean, sd, valid)


def read_real_bold(file: BoldFile, *, confound_columns: tuple[str, ...] = ()) -> RealBold:
    """Check a measured BOLD image and read everything but its volumes.

    Parameters
    ----------
    file
        The image, as :func:`bids_eeg2fmri.bids.pairing.find_bold` found it.
    confound_columns
        Columns of the confounds table to regress out, as names or patterns such as ``cosine*``.

    Raises
    ------
    BadDataError
        Not a time series of measured BOLD with a repetition time, or a broken confounds table.
    UsageError
        A confound does not exist.
    MissingInputError
        The content of a file is not here.
    """
    _refuse_synthetic(file)
    image = open_image(file.path)
    if len(image.shape) != 4 or image.shape[3] < MIN_VOLUMES:
        raise BadDataError(
            f"an image of shape {image.shape} is no time series of {MIN_VOLUMES} volumes or more.",
            path=file.path,
            remedy="Give 4-D BOLD.",
        )
    x, y, z, n_volumes = (int(size) for size in image.shape)
    timing = read_timing(image, file.sidecar, file.path)
    confounds = None
    if confound_columns:
        if file.confounds is None:
            raise UsageError(
                f"confounds are asked for ({', '.join(confound_columns)}), but there is no confounds table beside it.",
                path=file.path,
                remedy="Give fMRIPrep's derivatives, or leave --confounds out.",
            )
        confounds = read_confounds(file.confounds, confound_columns, n_volumes)
    return RealBold(
        source=file.path,
        tr_s=timing.tr_s,
        n_volumes=n_volumes,
        start_time_s=timing.start_time_s,
        affine=np.asarray(image.affine, float),
        shape=(x, y, z),
        mask=file.mask,
        confounds=confounds,
        discarded=timing.discarded,
    )


def check_clock(clock: VolumeClock, bold: RealBold, source: Path, *, duration_s: float | None = None) -> VolumeClock:
    """The clock of a recording's volumes, once it agrees with the image that was measured.

    Volumes that the sidecar says were discarded before the first one of the image are left out of the clock. A clock
    that was only assumed takes repetition time and count of the image.

    Parameters
    ----------
    clock
        The clock found in the EEG.
    bold
        The image.
    source
        The EEG file, for messages.
    duration_s
        Length of the EEG; by default what an assumed clock leaves possible.

    Raises
    ------
    BadDataError
        They disagree in repetition time (by more than 1 ms and 0.1 %) or count, or the image is longer than EEG
        without markers.
    """
    if clock.source.startswith(_ASSUMED):
        return _clock_of_image(clock, bold, source, duration_s)
    extra = clock.n_volumes - bold.n_volumes
    if same_tr(clock.tr_s, bold.tr_s) and (extra == 0 or extra in bold.discarded):
        return clock if extra == 0 else _without_first(clock, extra)
    raise BadDataError(
        f"the clocks of EEG and BOLD disagree: {clock.n_volumes} volumes every {clock.tr_s:.6g} s by the EEG's "
        f"{clock.source}, {bold.n_volumes} every {bold.tr_s:.6g} s in {bold.source}.",
        path=source,
        remedy="Pair the files that were recorded together; if volumes were removed from the start of the image, state "
        "NumberOfVolumesDiscardedByUser in its sidecar.",
    )


def _clock_of_image(clock: VolumeClock, bold: RealBold, source: Path, duration_s: float | None) -> VolumeClock:
    eeg_s = (clock.n_volumes + 1) * clock.tr_s if duration_s is None else duration_s
    last_onset_s = clock.first_volume_onset_s + (bold.n_volumes - 1) * bold.tr_s
    if last_onset_s >= eeg_s:
        raise BadDataError(
            f"no volume markers, and the EEG of {eeg_s:.6g} s at most is too short for {bold.n_volumes} volumes every "
            f"{bold.tr_s:.6g} s in {bold.source}.",
            path=source,
            remedy="Pair the files that were recorded together, or give the EEG with its volume markers.",
        )
    logger.warning(
        "%s has no volume markers: it is assumed that the first of %d volumes (every %.6g s, %s) starts with the EEG.",
        source,
        bold.n_volumes,
        bold.tr_s,
        bold.source.name,
    )
    origin = f"{clock.source}; repetition time and count of the measured BOLD"
    return VolumeClock(clock.first_volume_onset_s, bold.tr_s, bold.n_volumes, origin)


def _without_first(clock: VolumeClock, count: int) -> VolumeClock:
    return replace(
        clock,
        first_volume_onset_s=clock.first_volume_onset_s + count * clock.tr_s,
        n_volumes=clock.n_volumes - count,
        source=f"{clock.source}, without {count} discarded volumes",
        missing=tuple(index - count for index in clock.missing if index >= count),
    )


def _refuse_synthetic(file: BoldFile) -> None:
    name = parse_name(file.path.name)
    if is_synthetic(file.sidecar) or (name is not None and name.entities.get("rec") == OWN_RECONSTRUCTION):
        raise BadDataError(
            "this BOLD was predicted from EEG by this program; it is no measurement.",
            path=file.path,
            remedy="Give measured BOLD.",
        )
