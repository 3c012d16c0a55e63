"""The metrics of one recording, as its BOLD sidecar and the group table state them.

Definitions stand in :mod:`bids_eeg2fmri.report.metric_definitions`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..bold.series_statistics import SeriesStatistics
from ..bold.units import UNITS_PER_Z
from ..eeg.recording import Recording
from ..synthesis.prediction import PredictionSummary
from ..synthesis.reliability_maps import ReliabilityMaps

_RESTING_BAND_HZ = (0.01, 0.1)
_MIN_TSTD = 1e-3


def recording_metrics(
    recording: Recording,
    statistics: SeriesStatistics,
    summary: PredictionSummary,
    reliability: ReliabilityMaps | None = None,
) -> dict[str, float | int]:
    """Every metric of a recording; numbers are rounded to six significant digits."""
    tstd = np.maximum(statistics.tstd_map, _MIN_TSTD)
    bad_s = sum(stop - start for start, stop in recording.cleaning.bad_segments_s)
    metrics = {
        "n_volumes": recording.clock.n_volumes,
        "duration_s": recording.duration_s,
        "n_channels_used": int(recording.good.sum()),
        "n_channels_left_out": len(recording.left_out),
        "n_channels_bad": len(recording.cleaning.bad_channels),
        "share_bad_time": min(bad_s / recording.duration_s, 1.0),
        "tsnr_median": np.median(statistics.mean_map / tstd),
        "tstd_median": np.median(tstd),
        "total_sd_median": np.median(statistics.total_sd_map),
        "epistemic_sd_median": UNITS_PER_Z * np.median(summary.epistemic_sd_z),
        "aleatoric_sd_median": UNITS_PER_Z * np.median(summary.aleatoric_sd_z),
        "relative_uncertainty_median": np.median(statistics.total_sd_map / tstd),
        "share_interpretable": np.nan if reliability is None else reliability.share_interpretable,
        "novelty_median": np.median(summary.novelty),
        "global_signal_share": statistics.global_signal_share,
        "share_power_001_010_hz": resting_band_share(summary.parcel_mean_z, recording.clock.tr_s),
    }
    return {name: value if isinstance(value, int) else float(f"{float(value):.6g}") for name, value in metrics.items()}


def resting_band_share(series: Float[np.ndarray, "volumes parcels"], tr_s: float) -> float:
    """Share of the series' power between 0.01 and 0.1 Hz, the mean left out."""
    # A parcel at a time: spectra of all of them at once would be the largest arrays of a long recording.
    freqs_hz = np.fft.rfftfreq(len(series), tr_s)
    power = np.zeros(len(freqs_hz))
    for one in series.T:
        power += np.square(np.abs(np.fft.rfft(one - one.mean())))
    low, high = _RESTING_BAND_HZ
    total = power[1:].sum()
    return float(power[(freqs_hz >= low) & (freqs_hz <= high)].sum() / total) if total > 0 else 0.0
