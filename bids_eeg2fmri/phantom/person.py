"""Everything that makes one simulated person different from the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

BANDS = ("delta", "theta", "alpha", "beta", "gamma")
SLOW_BAND_HZ = (0.005, 0.12)


@dataclass(frozen=True)
class ScalpNoise:
    """What the electrodes pick up besides the brain; amplitudes are rms or peak volts, 0 switches a source off.

    Attributes
    ----------
    electrode_jitter_deg
        Standard deviation of an electrode's displacement along each tangent, seen from the head's centre.
    sensor_v, drift_v
        rms of white and of slow (1/f^2, below 1 Hz) noise of each channel.
    blink_rate_hz, blink_v
        Mean rate of blinks and their peak at the eyes.
    muscle_v
        rms of a muscle burst at its electrode.
    line_v, line_hz
        rms and frequency of the mains.
    pulse_v, heart_rate_hz
        Peak of the residual cardioballistic artefact and the heart rate.
    gradient_v
        Peak of the residual gradient artefact.
    cap_turn_deg
        Standard deviation of the cap's turn about each axis of the head.
    sensor_spread
        Standard deviation of the logarithm of ``sensor_v`` between electrodes.
    tone_v
        rms at the muscles of the tone of temples, forehead and neck, which comes and goes.
    eye_v
        rms at the eyes of slow eye movements.
    movement_v
        Usual peak of the swings, over the whole cap, that small movements leave.
    low_pass_hz
        Cut-off of the filter that the recording went through, or ``None``.
    """

    electrode_jitter_deg: float
    sensor_v: float
    drift_v: float
    blink_rate_hz: float
    blink_v: float
    muscle_v: float
    line_v: float
    line_hz: float
    pulse_v: float
    heart_rate_hz: float
    gradient_v: float
    cap_turn_deg: float
    sensor_spread: float
    tone_v: float
    eye_v: float
    movement_v: float
    low_pass_hz: float | None


@dataclass(frozen=True)
class BoldNoise:
    """What a scanner measures besides the haemodynamic response, in per cent of the baseline.

    Attributes
    ----------
    regional_percent, regional_ar
        rms and lag-one correlation (per 2 s) of noise shared within a region.
    voxel_percent, voxel_ar
        The same, of each voxel's own noise.
    global_percent
        rms of a non-neural signal common to the brain.
    drift_percent
        rms of slow drifts (periods of 128 s and more).
    spikes_per_min, spike_percent
        Rate and size of motion-like spikes.
    """

    regional_percent: float
    regional_ar: float
    voxel_percent: float
    voxel_ar: float
    global_percent: float
    drift_percent: float
    spikes_per_min: float
    spike_percent: float


@dataclass(frozen=True)
class PersonSpec:
    """One simulated person: sources, networks, coupling of EEG to the slow states, haemodynamics, noise.

    Attributes
    ----------
    seed
        What the person was drawn from.
    coordinates_mm
        MNI coordinates of the sources, in the order of the atlas' parcels.
    parcels
        Index of each source's parcel (0-based).
    head_positions_m
        Where the sources truly lie in the 90 mm ball: the person's anatomy differs from the template's.
    orientations
        Unit dipole vectors (RAS), similar in neighbours.
    network_weights
        Share of each network's state in each source's state.
    private_weights
        Share of the source's own state; with the network shares it makes a state of unit variance.
    network_mixing
        Lower-triangular factor of the correlations among the networks' states.
    network_knee_hz, private_knee_hz
        Frequency above which the states' spectra fall.
    network_coupling, private_coupling
        Change of log-amplitude of each band per unit of network and private state.
    coupling_sign
        Sign by which a source departs from its networks (thalamic alpha is positive).
    coupling_scale
        Factor on every modulation of amplitude; 0 gives a flat EEG.
    unrelated_sd
        Standard deviation of log-amplitude fluctuations that BOLD knows nothing of, per band.
    band_centre_hz, band_width_hz
        Centre and standard deviation of each band's spectral bump.
    band_rms
        rms of each source's bands, relative to ``source_rms_am``.
    background_rms, background_slope
        rms (1-45 Hz) and exponent of the 1/f background, which is not coupled to BOLD.
    source_rms_am
        Scale of the dipole moments in A m.
    coherence
        Share of a source's power that is common to its neighbourhood.
    hrf_peak_s, bold_percent
        Haemodynamic peak and response (per cent per unit state) of each source's surroundings.
    task_drive
        Response of the networks' states to a stimulus.
    conductivities
        S/m of brain, CSF, skull and scalp.
    scalp_noise, bold_noise
        Noise and artefacts.
    coupling_strength
        Factor on the coupling to the slow states alone; near 0, this person's EEG says nothing of the BOLD.
    regional_coupling
        Factor by which each band's coupling at a source departs from its networks'; negative where it is reversed.
    background_field
        Strength of the 1/f background at each source, relative to ``background_rms``.
    fast_sd
        Standard deviation of log-amplitude fluctuations that are too fast for BOLD, per band.
    broadband_sd
        Standard deviations of the slow and fast fluctuations that all bands and the background have in common.
    hrf_undershoot, hrf_spread
        Area of the undershoot over that of the response, and relative widening of the response, at each source.
    """

    seed: int
    coordinates_mm: Float[np.ndarray, "sources 3"]
    parcels: Int[np.ndarray, " sources"]
    head_positions_m: Float[np.ndarray, "sources 3"]
    orientations: Float[np.ndarray, "sources 3"]
    network_weights: Float[np.ndarray, "sources networks"]
    private_weights: Float[np.ndarray, " sources"]
    network_mixing: Float[np.ndarray, "networks networks"]
    network_knee_hz: Float[np.ndarray, " networks"]
    private_knee_hz: float
    network_coupling: Float[np.ndarray, "bands networks"]
    private_coupling: Float[np.ndarray, " bands"]
    coupling_sign: Float[np.ndarray, "bands sources"]
    coupling_scale: float
    unrelated_sd: Float[np.ndarray, " bands"]
    band_centre_hz: Float[np.ndarray, " bands"]
    band_width_hz: Float[np.ndarray, " bands"]
    band_rms: Float[np.ndarray, "sources bands"]
    background_rms: float
    background_slope: float
    source_rms_am: float
    coherence: float
    hrf_peak_s: Float[np.ndarray, " sources"]
    bold_percent: Float[np.ndarray, " sources"]
    task_drive: Float[np.ndarray, " networks"]
    conductivities: Float[np.ndarray, " shells"]
    scalp_noise: ScalpNoise
    bold_noise: BoldNoise
    coupling_strength: float
    regional_coupling: Float[np.ndarray, "bands sources"]
    background_field: Float[np.ndarray, " sources"]
    fast_sd: Float[np.ndarray, " bands"]
    broadband_sd: tuple[float, float]
    hrf_undershoot: Float[np.ndarray, " sources"]
    hrf_spread: Float[np.ndarray, " sources"]

    @property
    def n_sources(self) -> int:
        """Number of dipole sources."""
        return len(self.parcels)

    @property
    def n_networks(self) -> int:
        """Number of networks."""
        return self.network_weights.shape[1]

    @property
    def alpha_hz(self) -> float:
        """Frequency of the alpha peak."""
        return float(self.band_centre_hz[BANDS.index("alpha")])
