from __future__ import annotations

from pathlib import Path

import eeglabio
import mne
import mne_bids
import numpy as np
import pytest
import scipy.signal

from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import Recording
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.errors import BadDataError, UsageError

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"
SFREQ_HZ = 250.0
DURATION_S = 70.0


@pytest.fixture(scope="module")
def eeg(simulate, cap) -> np.ndarray:
    return simulate(cap, SFREQ_HZ, DURATION_S)


def write(path: Path, signals_v: np.ndarray, names: list[str], suffix: str) -> Path:
    raw = mne.io.RawArray(signals_v, mne.create_info(names, SFREQ_HZ, "eeg"), verbose="ERROR")
    raw.set_annotations(mne.Annotations([10.0, 20.0], [0.0, 1.0], ["go", "stop"]))
    if suffix == ".fif":
        raw.save(path, verbose="ERROR")
    elif suffix == ".set":
        annotations = [np.array(["go", "stop"]), np.array([10.0, 20.0]), np.array([0.0, 1.0])]
        eeglabio.raw.export_set(str(path), signals_v, SFREQ_HZ, names, annotations=annotations)
    else:
        mne.export.export_raw(path, raw, physical_range=(-1e3, 1e3), verbose="ERROR")
    return path


def correlation(recording: Recording, signals_v: np.ndarray) -> np.ndarray:
    """With the signals that were written, average-referenced, both above the reader's own high-pass."""
    both = (recording.signals_v.astype(float), signals_v - signals_v.mean(axis=0))
    ours, theirs = (mne.filter.filter_data(x, recording.sfreq_hz, 1.5, None, verbose="ERROR") for x in both)
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs, strict=True)])


@pytest.mark.parametrize("suffix", [".edf", ".bdf", ".set", ".fif", ".vhdr"])
def test_every_format(tmp_path: Path, eeg, cap, suffix: str, brainvision, recording_file, settings) -> None:
    if suffix == ".vhdr":
        events = [
            {"onset": 2500, "duration": 1, "description": "go", "type": "Comment"},
            {"onset": 5000, "duration": 1, "description": 2},
        ]
        path = brainvision(tmp_path, eeg, SFREQ_HZ, cap, events)
    else:
        path = write(tmp_path / f"sub-01_task-rest_eeg{suffix}", eeg, cap, suffix)
    recording = read_recording(recording_file(path), settings())
    assert recording.channel_names == tuple(cap)
    assert recording.sfreq_hz == recording.source_sfreq_hz == SFREQ_HZ
    assert recording.duration_s == pytest.approx(DURATION_S)
    assert recording.good.all()
    assert recording.positions_source == "standard_1005"
    assert recording.clock.source == "assumed: no volume markers"
    assert recording.clock.n_volumes == 35
    assert correlation(recording, eeg).min() > 0.99
    np.testing.assert_allclose(recording.signals_v.mean(axis=0), 0.0, atol=1e-10)
    onsets_s = [event.onset_s for event in recording.events]
    assert onsets_s == pytest.approx([20.0] if suffix == ".vhdr" else [10.0, 20.0], abs=0.005)


def test_example_dataset(recording_file, settings, tmp_path: Path) -> None:
    folder = EXAMPLE / "sub-01" / "eeg"
    file = recording_file(
        folder / "sub-01_task-rest_eeg.edf",
        sidecar={"PowerLineFrequency": 50, "EEGReference": "ears", "RecordingDuration": 181.998},
        channels_tsv=folder / "sub-01_task-rest_channels.tsv",
    )
    recording = read_recording(file, settings(tr_s=1.5), tmp_path / "work")
    assert len(recording.channel_names) == 19
    assert {"Fp1", "T3", "Oz"} - set(recording.channel_names) == {"Oz"}
    assert recording.left_out == {
        "EEG A2-A1": "type MISC in channels.tsv",
        "ECG ECG": "type ECG in channels.tsv",
    }
    assert recording.good.all()
    assert recording.clock.n_volumes == 121
    assert recording.events == ()
    assert recording.reference == "ears"
    assert recording.warnings == ()
    assert recording.cleaning.psd_after.shape == (19, recording.cleaning.psd_freqs_hz.size)
    assert recording.cleaning.psd_freqs_hz.size <= 200
    assert 5e-6 < np.median(recording.signals_v.std(axis=1)) < 2e-5
    assert list((tmp_path / "work").iterdir()) == []


def test_noddi_with_simulated_signals(noddi, recording_file, settings, simulate) -> None:
    text = noddi("35", derivative=True, n_samples=1).read_text(encoding="utf-8")
    names = [line.split("=")[1].split(",")[0] for line in text.splitlines() if line.startswith("Ch") and "µV" in line]
    places = {"ECG": "Cz", "O9": "O1", "O10": "O2"}
    signals_v = np.tile(simulate([places.get(name, name) for name in names], 250.0, 197235 / 250 / 4), 5)[:, :197235]
    signals_v += 2e-6 * np.random.default_rng(0).standard_normal(signals_v.shape)
    header = noddi("35", derivative=True, signals_v=signals_v)
    sidecar = {"SamplingFrequency": 5000, "PowerLineFrequency": 50, "RecordingType": "continuous"}
    recording = read_recording(recording_file(header, sidecar=sidecar), settings())
    assert recording.clock.n_volumes == 300
    assert recording.clock.tr_s == 2.16
    assert recording.clock.first_volume_onset_s == pytest.approx(129.568)
    assert recording.positions_source == "file"
    assert recording.left_out == {"ECG": "type misc in the file"}
    assert recording.events == ()
    assert any("SamplingFrequency 5000 Hz" in warning for warning in recording.warnings)
    by_name = read_recording(recording_file(header), settings(montage="standard_1005"))
    assert set(by_name.left_out) == {"ECG", "O9", "O10"}
    assert any("O9, O10" in warning for warning in by_name.warnings)


def test_events_and_volumes_from_a_bids_dataset_of_mne(tmp_path: Path, eeg, cap, recording_file, settings) -> None:
    source = write(tmp_path / "source_eeg.fif", eeg, cap, ".fif")
    raw = mne.io.read_raw_fif(source, verbose="ERROR")
    volumes = mne.Annotations(4.0 + 2.0 * np.arange(33), 0.0, "R128")
    raw.set_annotations(raw.annotations + volumes)
    raw.set_montage(mne.channels.make_standard_montage("biosemi64"), on_missing="ignore", verbose="ERROR")
    path = mne_bids.BIDSPath(subject="01", task="rest", datatype="eeg", root=tmp_path / "ds")
    path = mne_bids.write_raw_bids(raw, path, format="BrainVision", allow_preload=True, verbose="ERROR")
    folder = path.fpath.parent
    file = recording_file(
        path.fpath,
        channels_tsv=folder / "sub-01_task-rest_channels.tsv",
        events_tsv=folder / "sub-01_task-rest_events.tsv",
        electrodes_tsv=next(folder.glob("*electrodes.tsv")),
        coordsystem_json=next(folder.glob("*coordsystem.json")),
    )
    recording = read_recording(file, settings())
    assert recording.clock.source == "markers: R128"
    assert (recording.clock.first_volume_onset_s, recording.clock.tr_s, recording.clock.n_volumes) == (4.0, 2.0, 33)
    assert [event.trial_type for event in recording.events] == ["go", "stop"]
    assert recording.positions_source == "electrodes.tsv"
    standard = standard_positions("standard_1005")
    distances_m = np.linalg.norm(recording.positions_m - [standard[name] for name in cap], axis=1)
    assert distances_m.mean() < 0.02


def test_faster_files_are_decimated(tmp_path: Path, cap, simulate, brainvision, recording_file, settings) -> None:
    fast = simulate(cap, 1000.0, 65.0)
    recording = read_recording(recording_file(brainvision(tmp_path, fast, 1000.0, cap)), settings())
    assert (recording.sfreq_hz, recording.source_sfreq_hz) == (250.0, 1000.0)
    assert recording.signals_v.shape[1] == 16_250
    slow = scipy.signal.decimate(fast, 4, ftype="fir")
    assert correlation(recording, slow).min() > 0.99


def test_bad_channels_and_segments(tmp_path: Path, eeg, cap, brainvision, recording_file, settings) -> None:
    signals_v = np.tile(eeg, 2)
    signals_v[0] = 0.0
    signals_v[:, 10_000:10_100] += 2e-3
    table = tmp_path / "channels.tsv"
    table.write_text("name\ttype\tstatus\tstatus_description\nPz\tEEG\tbad\tloose\n")
    events = tmp_path / "events.tsv"
    events.write_text("onset\tduration\ttrial_type\n100\t2\tBAD_cough\n5\t0\tgo\n")
    file = recording_file(brainvision(tmp_path, signals_v, SFREQ_HZ, cap), channels_tsv=table, events_tsv=events)
    recording = read_recording(file, settings())
    assert recording.cleaning.bad_channels == {"Fp1": "flat", "Pz": "bad in channels.tsv: loose"}
    assert not recording.good[0] and not recording.good[cap.index("Pz")]
    assert recording.good.sum() == 17
    assert len(recording.cleaning.bad_segments_s) == 2
    assert np.abs(recording.signals_v[:, 10_000:10_100]).max() == 0.0
    assert np.abs(recording.signals_v[:, 25_000:25_500]).max() == 0.0
    assert np.abs(recording.signals_v[~recording.good]).max() == 0.0
    assert [event.trial_type for event in recording.events] == ["go"]


def test_missing_samples_are_masked(tmp_path: Path, eeg, cap, recording_file, settings) -> None:
    signals_v = np.tile(eeg, 2)
    signals_v[:, 5000:5500] = np.nan
    signals_v[3, :] = np.nan
    path = write(tmp_path / "sub-01_task-rest_eeg.fif", signals_v, cap, ".fif")
    recording = read_recording(recording_file(path), settings())
    assert recording.cleaning.bad_channels == {cap[3]: "samples that are no numbers"}
    start_s, end_s = recording.cleaning.bad_segments_s[0]
    assert start_s <= 20.0 and end_s >= 22.0
    assert np.isfinite(recording.signals_v).all()


def test_eeglab_units(tmp_path: Path, eeg, cap, recording_file, settings) -> None:
    table = tmp_path / "channels.tsv"
    table.write_text("name\ttype\tunits\n" + "".join(f"{name}\tEEG\tV\n" for name in cap))
    microvolts = write(tmp_path / "a_task-rest_eeg.set", eeg, cap, ".set")
    volts = write(tmp_path / "b_task-rest_eeg.set", eeg * 1e-6, cap, ".set")
    as_supposed = read_recording(recording_file(microvolts, channels_tsv=table), settings())
    as_in_table = read_recording(recording_file(volts, channels_tsv=table), settings())
    np.testing.assert_allclose(as_supposed.signals_v, as_in_table.signals_v, atol=1e-9)
    assert "units" in as_in_table.warnings[-1]
    with pytest.raises(BadDataError, match=r"factor of 1e6 \(volts written as microvolts\?\)"):
        read_recording(recording_file(volts), settings())


def test_gradient_artefact_is_refused_unless_allowed(
    tmp_path: Path, eeg, cap, brainvision, recording_file, settings
) -> None:
    # A volume of 540 samples in 30 slices, never quiet, each volume with the same noise-like waveform.
    rng = np.random.default_rng(3)
    volume = np.tile(rng.standard_normal(18), 30) + 0.3 * rng.standard_normal(540)
    artefact = np.resize(3e-4 * volume, eeg.shape[1]) * np.linspace(0.5, 1.5, len(cap))[:, None]
    file = recording_file(brainvision(tmp_path, eeg + artefact, SFREQ_HZ, cap))
    with pytest.raises(BadDataError, match="gradient artefact") as caught:
        read_recording(file, settings())
    assert "--derivatives clean=PATH" in str(caught.value.remedy)
    assert read_recording(file, settings(allow_gradient_artefact=True)).good.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:, : 50 * 250], r"lasts 50\.0 s"),
        (lambda x: x[:7], "Only 7 electrodes can be placed"),
        (lambda x: 0 * x, "constant"),
        (lambda x: x * 1e-6, "1e6"),
        (lambda x: x * np.r_[np.ones(5), np.zeros(14)][:, None], "constant|usable electrodes"),
        (lambda x: x + 1e-3 * (np.random.default_rng(0).random(x.shape[1]) < 1e-3), "s of clean signal"),
    ],
)
def test_unusable_recordings(tmp_path, eeg, cap, brainvision, recording_file, settings, change, message) -> None:
    signals_v = change(eeg)
    file = recording_file(brainvision(tmp_path, signals_v, SFREQ_HZ, cap[: len(signals_v)]))
    with pytest.raises(BadDataError, match=message) as caught:
        read_recording(file, settings())
    assert caught.value.path == file.path
    assert caught.value.remedy


def test_slow_and_channelless_files(tmp_path: Path, eeg, cap, brainvision, recording_file, settings) -> None:
    with pytest.raises(BadDataError, match=r"80 Hz.*100 Hz"):
        read_recording(recording_file(brainvision(tmp_path, eeg, 80.0, cap)), settings())
    names = [f"EOG{i}" for i in range(len(cap))]
    with pytest.raises(BadDataError, match="no more EEG channels"):
        read_recording(recording_file(brainvision(tmp_path, eeg, SFREQ_HZ, names)), settings())


def test_epoched_eeglab(tmp_path: Path, eeg, cap, recording_file, settings) -> None:
    path = tmp_path / "sub-01_task-rest_eeg.set"
    epochs = np.stack(np.split(eeg[:, :17_500], 70, axis=1))
    events = np.c_[np.arange(70) * 250, np.zeros(70, int), np.ones(70, int)]
    eeglabio.epochs.export_set(str(path), epochs, SFREQ_HZ, events, 0.0, 0.996, cap, event_id={"a": 1})
    with pytest.raises(BadDataError, match="epochs"):
        read_recording(recording_file(path), settings())


def test_new_segment_in_mid_file(tmp_path: Path, eeg, cap, brainvision, recording_file, settings) -> None:
    header = brainvision(tmp_path, eeg, SFREQ_HZ, cap)
    markers = header.with_suffix(".vmrk")
    with markers.open("a", encoding="utf-8") as stream:
        stream.write("Mk1=New Segment,,1,1,0,20130410102544704278\n")
        stream.write("Mk2=New Segment,,10001,1,0,20130410102744704278\n")
    with pytest.raises(BadDataError, match=r"cut at 40\.000 s"):
        read_recording(recording_file(header), settings())


def test_options_that_contradict_the_file(tmp_path: Path, eeg, cap, brainvision, recording_file, settings) -> None:
    file = recording_file(brainvision(tmp_path, eeg, SFREQ_HZ, cap))
    with pytest.raises(UsageError, match="no standard montage"):
        read_recording(file, settings(montage="my_cap"))
    with pytest.raises(UsageError, match="0 markers are named"):
        read_recording(file, settings(volume_marker="R128"))
