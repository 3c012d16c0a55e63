"""What chance alone would score: surrogates that keep everything about a forecast but its timing.

Correlations with all surrogates are computed from the cross-spectrum: a circular shift or new phases change it by
known factors, so that no surrogate series is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

N_SURROGATES = 5000
FDR = 0.05
# Longer than the haemodynamic memory: a shorter shift still shares the response.
MIN_SHIFT_S = 30.0
MIN_VOLUMES = 8
_SURROGATES_PER_STEP = 250
_POINTS_PER_STEP = 8192


@dataclass(frozen=True)
class Null:
    """The nulls of one forecast of one recording.

    Attributes
    ----------
    circular_shift, phase
        Mean correlation over time that surrogates reach, by metric (``parcel_r``, and ``voxel_r`` and
        ``parcel_r_truth`` where they were asked for).
    shifted_parcel_r
        Correlation of every parcel at every admitted circular shift.
    p_values
        Of every parcel, one-sided (a negative correlation is no skill), from the phase surrogates; 1 where not valid.
    significant
        Parcels that pass the Benjamini-Hochberg procedure at a false discovery rate of 5 %.
    n_valid
        Number of parcels that were tested.
    """

    circular_shift: dict[str, Float[np.ndarray, " surrogates"]]
    phase: dict[str, Float[np.ndarray, " surrogates"]]
    shifted_parcel_r: Float[np.ndarray, "shifts parcels"]
    p_values: Float[np.ndarray, " parcels"]
    significant: Bool[np.ndarray, " parcels"]
    n_valid: int

    def scores(self) -> dict[str, float]:
        """The 95th percentiles of the mean parcel r, and the share of parcels that are significant."""
        share = float(self.significant.sum() / self.n_valid) if self.n_valid else float("nan")
        return {
            "null_r_shift_95": float(np.quantile(self.circular_shift["parcel_r"], 0.95)),
            "null_r_phase_95": float(np.quantile(self.phase["parcel_r"], 0.95)),
            "fdr_parcels": share,
        }


@dataclass(frozen=True)
class CrossSpectrum:
    """Contribution of every frequency to the correlation of every point.

    Attributes
    ----------
    terms
        Their real parts sum to the correlation.
    n_volumes
        Length of the series.
    """

    terms: Complex[np.ndarray, "frequencies points"]
    n_volumes: int

    @classmethod
    def of(
        cls, predicted: Float[np.ndarray, "volumes points"], observed: Float[np.ndarray, "volumes points"]
    ) -> CrossSpectrum:
        """Cross-spectrum of two sets of series; zero at points where one of them is constant."""
        n_volumes = len(observed)
        spectra, norms = [], []
        for series in (predicted, observed):
            centred = np.asarray(series) - np.mean(series, axis=0)
            norm = np.linalg.norm(centred, axis=0)
            rounding = 8 * np.finfo(centred.dtype).eps * np.linalg.norm(series, axis=0)
            spectra.append(np.fft.rfft(centred, axis=0)[1:])
            norms.append(np.where(norm > rounding, norm, np.inf))
        terms = spectra[0].conj() * spectra[1] * (2 / n_volumes) / (norms[0] * norms[1])
        if n_volumes % 2 == 0:
            terms[-1] /= 2  # the Nyquist frequency has no negative twin
        return cls(terms, n_volumes)

    @classmethod
    def mean_of(
        cls,
        predicted: Float[np.ndarray, "volumes points"],
        observed: Float[np.ndarray, "volumes points"],
        valid: Bool[np.ndarray, " points"],
    ) -> CrossSpectrum:
        """Of the mean correlation over the valid points, a few thousand of them at a time."""
        points = np.flatnonzero(valid)
        total = np.zeros((len(observed) // 2, 1), complex)
        for first in range(0, len(points), _POINTS_PER_STEP):
            step = points[first : first + _POINTS_PER_STEP]
            total += cls.of(predicted[:, step], observed[:, step]).terms.sum(axis=1, keepdims=True)
        return cls(total / max(len(points), 1), len(observed))

    def mean(self) -> CrossSpectrum:
        """Of the mean correlation over points."""
        return CrossSpectrum(self.terms.mean(axis=1, keepdims=True), self.n_volumes)

    def shifted(self, shifts: Int[np.ndarray, " shifts"]) -> Float[np.ndarray, "shifts points"]:
        """Correlations after the prediction was moved later by so many volumes, around the end."""
        frequencies = np.arange(1, len(self.terms) + 1)
        turns = np.exp(2j * np.pi * np.outer(shifts, frequencies) / self.n_volumes)
        return (turns @ self.terms).real

    def rephased(self, phases: Complex[np.ndarray, "surrogates frequencies"]) -> Float[np.ndarray, "surrogates points"]:
        """Correlations after the phases of the prediction were turned."""
        return (phases @ self.terms).real


def admitted_shifts(n_volumes: int, tr_s: float) -> Int[np.ndarray, " shifts"]:
    """Circular shifts of at least 30 s either way (of a quarter of the series, if that is shorter)."""
    least = max(min(int(np.ceil(MIN_SHIFT_S / tr_s)), n_volumes // 4), 1)
    return np.arange(least, n_volumes - least + 1)


def random_phases(n_volumes: int, count: int, seed: int) -> Iterator[Complex[np.ndarray, "surrogates frequencies"]]:
    """Unit factors of phase surrogates, the same for every point, a few hundred surrogates at a time."""
    rng = np.random.default_rng([0x9A5E, seed])
    for first in range(0, count, _SURROGATES_PER_STEP):
        shape = (min(_SURROGATES_PER_STEP, count - first), n_volumes // 2)
        phases = np.exp(2j * np.pi * rng.random(shape))
        if n_volumes % 2 == 0:
            phases[:, -1] = np.sign(phases[:, -1].real)  # the Nyquist frequency is real
        yield phases


def timing_nulls(
    predicted: Float[np.ndarray, "volumes parcels"],
    observed: Float[np.ndarray, "volumes parcels"],
    tr_s: float,
    *,
    valid: Bool[np.ndarray, " parcels"] | None = None,
    others: dict[str, CrossSpectrum] | None = None,
    seed: int = 0,
    count: int = N_SURROGATES,
) -> Null:
    """Circular shifts and phase surrogates of one forecast.

    A circular shift moves the whole forecast against the scanner's series by 30 s or more. A phase surrogate keeps
    the power of every frequency and the relations between parcels, and draws new phases common to all parcels
    (Prichard & Theiler 1994). Both assume stationary series; neither assumes a distribution of r.

    Parameters
    ----------
    predicted, observed
        Parcels' series.
    tr_s
        Repetition time.
    valid
        Parcels to test; all by default.
    others
        Cross-spectra of further metrics whose mean is to get a null of its own.
    seed, count
        Of the surrogates. Circular shifts are drawn with replacement from those admitted, so that surrogates of
        several people can be averaged one by one.

    Returns
    -------
    All NaN with fewer than 8 volumes or without a valid parcel.
    """
    valid = np.ones(observed.shape[1], bool) if valid is None else np.asarray(valid, bool)
    if len(observed) < MIN_VOLUMES or not valid.any():
        return _no_null(["parcel_r", *(others or {})], valid.size, count)
    parcels = CrossSpectrum.of(predicted, observed)
    tested = CrossSpectrum(parcels.terms[:, valid], parcels.n_volumes)
    means = {name: spectrum.mean() for name, spectrum in {"parcel_r": tested, **(others or {})}.items()}
    shifts = admitted_shifts(parcels.n_volumes, tr_s)
    drawn = np.random.default_rng([0x5417, seed]).integers(len(shifts), size=count)
    reached = tested.terms.real.sum(axis=0)
    exceeding = np.zeros(reached.size)
    phase: dict[str, list[np.ndarray]] = {name: [] for name in means}
    for phases in random_phases(parcels.n_volumes, count, seed):
        exceeding += (tested.rephased(phases) >= reached).sum(axis=0)
        for name, spectrum in means.items():
            phase[name].append(spectrum.rephased(phases)[:, 0])
    p_values = np.ones(valid.size)
    p_values[valid] = (1 + exceeding) / (1 + count)
    significant = np.zeros(valid.size, bool)
    significant[valid] = discoveries(p_values[valid])
    return Null(
        circular_shift={name: spectrum.shifted(shifts)[drawn, 0] for name, spectrum in means.items()},
        phase={name: np.concatenate(steps) for name, steps in phase.items()},
        shifted_parcel_r=parcels.shifted(shifts),
        p_values=p_values,
        significant=significant,
        n_valid=int(valid.sum()),
    )


def _no_null(metrics: Sequence[str], n_parcels: int, count: int) -> Null:
    unknown = {name: np.full(count, np.nan) for name in metrics}
    nothing = np.zeros(n_parcels, bool)
    return Null(unknown, unknown, np.zeros((0, n_parcels)), np.ones(n_parcels), nothing, 0)


def discoveries(p_values: Float[np.ndarray, " tests"], rate: float = FDR) -> Bool[np.ndarray, " tests"]:
    """Tests that pass the procedure of Benjamini & Hochberg (1995) at a false discovery rate."""
    if p_values.size == 0:
        return np.zeros(0, bool)
    # Its package takes half a second to load, and few recordings come with a scanner's BOLD.
    from scipy.stats import false_discovery_control

    return false_discovery_control(p_values, method="bh") <= rate


def swapped_people(
    predicted: Sequence[Float[np.ndarray, "volumes parcels"]],
    observed: Sequence[Float[np.ndarray, "volumes parcels"]],
    *,
    seed: int = 0,
    count: int = 1000,
) -> Float[np.ndarray, " surrogates"]:
    """Mean r over people when everyone gets the forecast of somebody else.

    What is left is what people share: the task, drifts, the scanner. Series are cut to the shorter of the two.
    Correlations are averaged over parcels, and over people in Fisher's z.

    Parameters
    ----------
    predicted, observed
        Parcels' series, one entry per person, with the same repetition time.
    seed, count
        Of the random assignments, none of which leaves a person with the own forecast.

    Returns
    -------
    Empty with fewer than two people.
    """
    n_people = len(observed)
    if n_people < 2:
        return np.zeros(0)
    z = np.zeros((n_people, n_people))
    for giver in range(n_people):
        for receiver in range(n_people):
            length = min(len(predicted[giver]), len(observed[receiver]))
            spectrum = CrossSpectrum.of(predicted[giver][:length], observed[receiver][:length])
            z[giver, receiver] = np.arctanh(np.clip(spectrum.terms.real.sum(axis=0).mean(), -0.999999, 0.999999))
    rng = np.random.default_rng([0x54A9, seed])
    receivers = np.arange(n_people)
    return np.array([np.tanh(z[_derangement(n_people, rng), receivers].mean()) for _ in range(count)])


def _derangement(size: int, rng: np.random.Generator) -> Int[np.ndarray, " size"]:
    """A random permutation that leaves nothing in its place."""
    while True:
        order = rng.permutation(size)
        if not (order == np.arange(size)).any():
            return order
