"""Drawing the noise of a person's recordings."""

from __future__ import annotations

import numpy as np

from .person import BoldNoise, ScalpNoise


def draw_scalp_noise(in_scanner: bool | None, rng: np.random.Generator) -> ScalpNoise:
    """Noise and artefacts of the EEG; ``in_scanner`` as in :func:`bids_eeg2fmri.phantom.draw.draw_person`."""
    # Drawn first so that the answer does not shift the numbers that follow.
    coin, pulse, gradient = rng.random(), rng.uniform(1e-6, 14e-6), min(0.8e-6 * rng.lognormal(0.0, 0.8), 5e-6)
    inside = coin < 0.5 if in_scanner is None else in_scanner
    return ScalpNoise(
        electrode_jitter_deg=rng.uniform(1.0, 4.0),
        sensor_v=rng.uniform(0.1e-6, 0.8e-6),
        drift_v=rng.uniform(2e-6, 8e-6),
        blink_rate_hz=rng.choice([0.02, 0.1, 0.25]),
        blink_v=rng.uniform(40e-6, 120e-6),
        muscle_v=2e-6 * rng.lognormal(0.0, 0.8),
        line_v=rng.lognormal(np.log(0.5e-6), 0.8),
        line_hz=float(rng.choice([50.0, 60.0])),
        pulse_v=pulse if inside else 0.0,
        heart_rate_hz=rng.uniform(0.9, 1.4),
        gradient_v=gradient if inside else 0.0,
        cap_turn_deg=rng.uniform(0.5, 4.0),
        sensor_spread=rng.uniform(0.1, 0.6),
        tone_v=1.2e-6 * rng.lognormal(0.0, 0.7),
        eye_v=8e-6 * rng.lognormal(0.0, 0.6),
        movement_v=12e-6 * rng.lognormal(0.0, 0.6),
        low_pass_hz=float(rng.uniform(40.0, 60.0)) if rng.random() < 0.35 else None,
    )


def draw_bold_noise(rng: np.random.Generator) -> BoldNoise:
    """Noise of the scanner."""
    return BoldNoise(
        regional_percent=rng.uniform(0.3, 0.5),
        regional_ar=rng.uniform(0.3, 0.6),
        voxel_percent=rng.uniform(0.7, 1.3),
        voxel_ar=rng.uniform(0.15, 0.4),
        global_percent=rng.uniform(0.05, 0.2),
        drift_percent=rng.uniform(0.05, 0.2),
        spikes_per_min=rng.uniform(0.0, 0.5),
        spike_percent=rng.uniform(0.3, 1.0),
    )
