"""Does the explanation find what was planted? Band, place and lag, over simulated people that no training saw.

In each person the visual network's slow state moves alpha power, the somatomotor one's beta power and the default
mode's gamma power, each in its own sources only; all else of a person is as ever drawn, with noise, artefacts and
fluctuations that BOLD knows nothing of. For every such network the prediction of ``neuralfield-sim`` is explained, and
three things are asked of the explanation: is the planted band (of delta, theta, alpha, beta, gamma) the one with the
largest share; does the electrode with
the largest share lie among the quarter of electrodes that see the network best; does the lag with the largest share
lie within 2 s of the peak of the person's haemodynamic response there. A guess would hit the band one time in five, the
electrode one time in four.

    python -m benchmarks.explanation --people 12
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from bids_eeg2fmri.bold.atlas import load_atlas, source_points
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.eeg.recording import Recording, VolumeClock
from bids_eeg2fmri.eeg.sources import referenced_gain
from bids_eeg2fmri.explanation.neuralfield_relevance import explain_neuralfield
from bids_eeg2fmri.explanation.regions import chosen_regions, region_weights
from bids_eeg2fmri.explanation.relevance import Relevance
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import BANDS, PersonSpec
from bids_eeg2fmri.phantom.recording import simulated_recording
from bids_eeg2fmri.phantom.sources import simulate_sources
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.grid_maps import evaluate_fields
from bids_eeg2fmri.synthesis.spectrogram import compute_spectrogram

PLANTED = {"Vis": "alpha", "SomMot": "beta", "Default": "gamma"}
COUPLING = {"alpha": -0.5, "beta": -0.5, "gamma": 0.5}
FIRST_SEED = 995_000
LAG_TOLERANCE_S = 2.0
# What the network's bands are called where the phantom makes them.
_NAMES = ("delta", "theta", "alpha", "beta", "beta", "gamma")


@dataclass(frozen=True)
class Hits:
    """Whether one network's explanation found band, place and lag of what was planted, and how large the shares are.

    ``first_seconds`` is the lag with the largest share, ``peak_s`` the haemodynamic peak.
    """

    region: str
    band: bool
    place: bool
    lag: bool
    band_share: float
    first_seconds: float
    peak_s: float


def plant(spec: PersonSpec) -> PersonSpec:
    """The person with one band coupled to the slow state in each planted network, and no coupling elsewhere."""
    networks = np.array(load_atlas().networks)[spec.parcels]
    regional = np.zeros_like(spec.regional_coupling)
    for network, band in PLANTED.items():
        regional[BANDS.index(band), networks == network] = 1.0
    coupling = np.array([COUPLING.get(band, 0.0) for band in BANDS])
    return replace(
        spec,
        coupling_strength=1.0,
        regional_coupling=regional,
        network_coupling=np.repeat(coupling[:, None], spec.n_networks, axis=1),
        private_coupling=coupling,
    )


def region_maps(network: NeuralField) -> np.ndarray:
    """The network's maps averaged over the planted networks."""
    grid = make_grid(OutputSpace(resolution="4"))
    weights = region_weights(chosen_regions(tuple(PLANTED)), grid.coordinates_mm)
    return np.asarray(weights @ evaluate_fields(network, grid.coordinates_mm)[0])


def explain_person(network: NeuralField, maps: np.ndarray, spec: PersonSpec, cap: str, duration_s: float) -> list[Hits]:
    """Simulate a person with planted couplings, explain the prediction, and compare."""
    rng = np.random.default_rng(spec.seed)
    spec = plant(spec)
    clock = VolumeClock(0.0, 2.0, int(duration_s / 2), "simulated")
    activity = simulate_sources(spec, duration_s, 128.0, rng)
    recording = simulated_recording(activity, spec, cap_names(cap), rng, clock=clock, label=f"sim-{spec.seed}")
    spectrogram = compute_spectrogram(recording)
    times_s = clock.onsets_s + clock.tr_s / 2
    relevance = explain_neuralfield(network, recording, spectrogram, maps, tuple(PLANTED), times_s)
    return [compare(relevance, index, spec, recording) for index in range(len(PLANTED))]


def compare(relevance: Relevance, index: int, spec: PersonSpec, recording: Recording) -> Hits:
    """Compare the explanation of one network with what was planted there."""
    region = relevance.regions[index]
    inside = [number for number, name in enumerate(_NAMES) if name == PLANTED[region]]
    shares = dict.fromkeys(BANDS, 0.0)
    for name, share in zip(_NAMES, relevance.by_band[index], strict=True):
        shares[name] += float(share)
    seen = _sensitivity(recording, region)
    electrode = int(relevance.by_electrode_and_band[index][:, inside].sum(axis=1).argmax())
    lag_s = float(np.mean(relevance.lag_edges_s[int(relevance.by_lag[index].argmax()) :][:2]))
    members = np.array(load_atlas().networks)[spec.parcels] == region
    peak_s = float(spec.hrf_peak_s[members].mean())
    return Hits(
        region,
        band=max(shares, key=shares.__getitem__) == PLANTED[region],
        place=bool(seen[electrode] >= np.quantile(seen, 0.75)),
        lag=abs(lag_s - peak_s) <= LAG_TOLERANCE_S,
        band_share=shares[PLANTED[region]],
        first_seconds=lag_s,
        peak_s=peak_s,
    )


def _sensitivity(recording: Recording, region: str) -> np.ndarray:
    """Share of what each good electrode sees of the whole brain that comes from a network."""
    points, parcel = source_points()
    gain = referenced_gain(recording.positions_m, recording.channel_names, recording.good, points)
    power = np.square(gain).reshape(len(gain), len(points), -1).sum(axis=2)
    members = np.array(load_atlas().networks)[parcel] == region
    return np.asarray(power[:, members].sum(axis=1) / power.sum(axis=1))


def main() -> None:
    """Explain every person and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--cap", default="64")
    parser.add_argument("--duration-s", type=float, default=300.0)
    parser.add_argument("--model", default="neuralfield-sim")
    options = parser.parse_args()
    network = cast(NeuralField, load_bundle(options.model).network)
    maps = region_maps(network)
    hits: list[Hits] = []
    for seed in range(FIRST_SEED, FIRST_SEED + options.people):
        found = explain_person(network, maps, draw_person(seed), options.cap, options.duration_s)
        hits += found
        print(seed, *(f"{h.region}: band {h.band} ({h.band_share:.2f}) place {h.place} lag {h.lag}" for h in found))
    print("\nnetwork\tband\tplace\tlag\tall three\tmean share of the planted band")
    for region in (*PLANTED, "all"):
        chosen = [each for each in hits if region in (each.region, "all")]
        rates = [np.mean([getattr(each, name) for each in chosen]) for name in ("band", "place", "lag")]
        every = np.mean([each.band and each.place and each.lag for each in chosen])
        share = np.mean([each.band_share for each in chosen])
        print(region, *(f"{rate:.2f}" for rate in (*rates, every, share)), sep="\t")


if __name__ == "__main__":
    main()
