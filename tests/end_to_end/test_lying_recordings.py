"""Recordings whose header, sidecars, positions, events or signals are not what they say, and extreme ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import mne
import nibabel as nib
import numpy as np
import pytest
from damaged_files import N_CHANNELS, Files, copies_of, fill

from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.settings import Settings

SFREQ_HZ = 250.0


def channels_less(files: Files) -> None:
    """One channel fewer in the header than in the data, which can be divided by either number."""
    files.edit(files.header, "^NumberOfChannels=.*", "NumberOfChannels=18")
    files.edit(files.header, "^Ch19=.*\n", "")
    both = 2 * 18 * N_CHANNELS
    files.cut(files.data.stat().st_size // both * both)


def floats_as_integers(files: Files) -> None:
    files.change(lambda signals: None)
    files.edit(files.header, "IEEE_FLOAT_32", "INT_16")


def saturated(signals: np.ndarray) -> None:
    """A gain of a thousand, and the amplifier's range."""
    np.clip(1000 * signals, -3276.8, 3276.7, out=signals)


def of_cap(files: Files, n_channels: int) -> None:
    """Electrodes of the standard montage, in turn with the signals of the 19."""
    signals, _ = files.signals_uv()
    noise = np.random.default_rng(0).standard_normal((n_channels, signals.shape[1]))
    names = list(standard_positions("standard_1005"))[:n_channels]
    files.become(np.resize(signals, noise.shape) + noise, names, SFREQ_HZ)


def of_rate(files: Files, sfreq_hz: float) -> None:
    signals, names = files.signals_uv()
    if sfreq_hz > SFREQ_HZ:
        signals = mne.filter.resample(signals, up=sfreq_hz / SFREQ_HZ, method="polyphase", verbose="error")
    files.become(signals, names, sfreq_hz)


def of_length(files: Files, duration_s: float) -> None:
    signals, names = files.signals_uv()
    files.become(signals[:, : round(duration_s * SFREQ_HZ)], names, SFREQ_HZ)


def move(files: Files, place: Callable[[int, list[str]], list[str]]) -> None:
    """Change the positions (a row's number, its x, y and z) in electrodes.tsv."""
    (table,) = files.folder.glob("*_electrodes.tsv")
    header, *rows = (line.split("\t") for line in table.read_text().splitlines())
    moved = [[row[0], *place(number, row[1:4]), *row[4:]] for number, row in enumerate(rows)]
    table.write_text("".join("\t".join(cells) + "\n" for cells in (header, *moved)))


def mixed_up(files: Files) -> None:
    """Every electrode's position is another's."""
    (table,) = files.folder.glob("*_electrodes.tsv")
    places = [line.split("\t")[1:4] for line in table.read_text().splitlines()[1:]]
    order = np.random.default_rng(0).permutation(len(places))
    move(files, lambda number, _: places[order[number]])


def turned(_: int, xyz: list[str]) -> list[str]:
    """Back to front, while the landmarks stay."""
    return [str(-float(xyz[0])), str(-float(xyz[1])), xyz[2]]


def no_positions(files: Files) -> None:
    for path in (*files.folder.glob("*_electrodes.*"), *files.folder.glob("*_coordsystem.json")):
        path.unlink()


def rename(files: Files, old: str, new: str, in_table: str = "") -> None:
    files.edit(files.header, f"={old},", f"={new},")
    files.edit(files["channels.tsv"], f"^{old}\t", f"{in_table or new}\t")


def of_unicode(files: Files) -> None:
    rename(files, "O2", "電極 ß")
    files.edit(files["events.tsv"], "\tstimulus\t", "\tμάτι «open» 👁\u2028\t")


def stray_events(files: Files) -> None:
    with files["events.tsv"].open("a", encoding="utf-8") as table:
        table.write("-500\t1\tbefore\t9\t-5\n5000.5\t2\tafter\t9\t5\n-1\t3\tunderway\t9\t5\n80\t-5\tback\t9\t5\n")


def linked_elsewhere(files: Files) -> None:
    """The header of one person names the signals of another."""
    files.edit(files.header, "^DataFile=.*", "DataFile=../../sub-sound/eeg/sub-sound_task-blocks_eeg.eeg")


@dataclass(frozen=True)
class Refused:
    """A damage, the exit code of a run that meets nothing else, and what the message must hold besides the file."""

    damage: Callable[[Files], object]
    says: tuple[str, ...]
    code: int = 65


@dataclass(frozen=True)
class Used:
    """A damage that a recording survives: what the sidecar's warnings say, good electrodes, events, volumes."""

    damage: Callable[[Files], object]
    warns: tuple[str, ...] = ()
    electrodes: int = N_CHANNELS
    events: int | None = 2
    volumes: int = 40


REFUSED = {
    "channels": Refused(channels_less, ("18 channels of 16 bits", "19 channels of 16 bits", "Correct the header")),
    "count": Refused(
        lambda f: f.edit(f.header, "^NumberOfChannels=.*", "NumberOfChannels=18"),
        ("NumberOfChannels=18", "describes 19"),
    ),
    "nochannels": Refused(
        lambda f: f.edit(f.header, "^NumberOfChannels=.*", "NumberOfChannels=0"), ("NumberOfChannels=0",)
    ),
    "integers": Refused(lambda f: f.edit(f.header, "INT_16", "IEEE_FLOAT_32"), ("32 bits", "16 bits", "header")),
    "floats": Refused(floats_as_integers, ("16 bits", "32 bits", "header")),
    "undeclared": Refused(
        lambda f: (floats_as_integers(f), f.describe(RecordingDuration="n/a")), ("no scalp EEG has", "header")
    ),
    "points": Refused(
        lambda f: f.edit(f.header, "^NumberOf", "DataPoints=9999\nNumberOf"), ("longer than its header", "9999")
    ),
    "bigendian": Refused(lambda f: f.edit(f.header, "^Binary", "UseBigEndianOrder=YES\nBinary"), ("little-endian",)),
    "vectors": Refused(lambda f: f.edit(f.header, "MULTIPLEXED", "VECTORIZED"), ("no correlation", "8 are needed")),
    "elsewhere": Refused(linked_elsewhere, ("DataFile=../../sub-sound",)),
    "device": Refused(
        lambda f: (f.data.unlink(), f.data.symlink_to("/dev/zero")), ("_eeg.eeg", "not a regular file"), 66
    ),
    "infinite": Refused(lambda f: f.change(partial(fill, value=np.inf)), ("no numbers",)),
    "zero": Refused(lambda f: f.change(partial(fill, value=0.0)), ("constant",)),
    "saturated": Refused(lambda f: f.change(saturated), ("saturated", "8 are needed")),
    "one": Refused(partial(of_cap, n_channels=1), ("Only 1 electrodes", "8 are needed")),
    "seven": Refused(partial(of_cap, n_channels=7), ("Only 7 electrodes", "8 are needed")),
    "hz30": Refused(partial(of_rate, sfreq_hz=30.0), ("30 Hz", "100 Hz")),
    "s10": Refused(partial(of_length, duration_s=10.0), ("10.0 s", "60 s")),
    "twice": Refused(partial(rename, old="Fz", new="F3", in_table="Fz"), ("several channels 'F3'",)),
    "twicerow": Refused(lambda f: f.edit(f["channels.tsv"], "^Fz\t", "F3\t"), ("channel F3 twice",)),
    "twiceplace": Refused(
        lambda f: f.edit(next(f.folder.glob("*_electrodes.tsv")), "^Fz\t", "F3\t"), ("electrode F3 twice",)
    ),
}
USED = {
    "sound": Used(lambda f: None),
    "manychannels": Used(partial(of_cap, n_channels=300), electrodes=300, events=None, volumes=43),
    "khz20": Used(partial(of_rate, sfreq_hz=20_000.0), events=None, volumes=43),
    "unicode": Used(of_unicode, ("電極 ß",), electrodes=18),
    "strays": Used(stray_events, ("2 of 6 events lie outside", "`before` at -500 s"), events=4),
    "sidecar": Used(
        lambda f: f.describe(
            SamplingFrequency=500, RecordingDuration=10**400, PowerLineFrequency=[50], EEGReference={"a": 1},
            TaskName={"b": 2}, EEGChannelCount=-4, RecordingType=None,
        ),
        ("SamplingFrequency 500 Hz, the file has 250 Hz",),
    ),
}  # fmt: skip
# What shows before anything is predicted: the damage, where positions come from, and what the warnings say.
READ = {
    "unplaced": (no_positions, "standard_1005", ""),
    "nowhere": (lambda f: move(f, lambda *_: ["n/a", "n/a", "n/a"]), "standard_1005", "places only 0"),
    "together": (lambda f: move(f, lambda *_: ["1", "2", "3"]), "standard_1005", "contradicts the electrode names"),
    "inline": (lambda f: move(f, lambda _, xyz: [xyz[0], "0", "0"]), "standard_1005", "contradicts the electrode"),
    "faraway": (lambda f: move(f, lambda *_: ["1e300", "1e308", "-1e308"]), "standard_1005", "places only 0"),
    "mixedup": (mixed_up, "standard_1005", "contradicts the electrode names"),
    "turned": (lambda f: move(f, turned), "electrodes.tsv", "cm from where their names lie"),
    "duration": (lambda f: f.describe(RecordingDuration=10), "electrodes.tsv", "RecordingDuration 10 s, the file has"),
    "someinfinite": (lambda f: f.change(partial(fill, value=np.inf, channels=[3])), "electrodes.tsv", ""),
}


def label(person: str) -> str:
    return f"sub-{person}_task-blocks"


@pytest.fixture(scope="module")
def dataset(short_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lies") / "ds"
    people = copies_of(short_dataset, root, (*REFUSED, *USED))
    for person, fault in (REFUSED | USED).items():
        fault.damage(people[person])
    return root


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output") / "out"


@pytest.fixture(scope="module")
def finished(dataset: Path, output: Path, here, res_4):
    return here(dataset, output, "participant", *res_4)


@pytest.mark.parametrize("person", REFUSED)
def test_a_lie_is_found_out(finished, output: Path, person: str) -> None:
    status, remark = finished.table[label(person)]
    assert status == "failed"
    assert all(part in remark for part in REFUSED[person].says), remark
    assert f"sub-{person}" in remark and "unexpected" not in remark
    assert not [path for path in (output / f"sub-{person}").rglob("*") if path.is_file()]


@pytest.mark.parametrize("person", USED)
def test_what_can_be_used_is_used(finished, output: Path, person: str) -> None:
    status, remark = finished.table[label(person)]
    assert status == "written", remark
    (path,) = (output / f"sub-{person}").rglob("*_desc-preproc_bold.json")
    sidecar, fault = json.loads(path.read_text("utf-8")), USED[person]
    warnings = " ".join(sidecar["Warnings"])
    assert all(part in warnings for part in fault.warns), warnings
    assert (warnings == "") == (fault.warns == ())
    assert sidecar["TaskName"] == "blocks"
    image = nib.load(path.with_suffix(".nii.gz"))
    assert np.isfinite(image.get_fdata()).all() and image.shape[3] == fault.volumes
    assert len(sidecar["EEG"]["ChannelsUsed"]) == fault.electrodes
    tables = list(path.parent.glob("*_events.tsv"))
    rows = [table.read_text("utf-8").rstrip("\n").split("\n")[1:] for table in tables]
    assert [len(lines) for lines in rows] == ([] if fault.events is None else [fault.events])


def test_the_run_says_what_failed_and_leaves_a_valid_dataset(finished, output: Path, validator_issues) -> None:
    assert finished.code == 1
    assert "Traceback" not in finished.out + finished.err
    assert validator_issues(output) == []
    assert not list(output.rglob(".tmp-*"))


@pytest.mark.parametrize("person", ["channels", "device"])
def test_the_exit_code_of_one_lie(dataset: Path, here, tmp_path: Path, person: str) -> None:
    finished = here(dataset, tmp_path / "out", "participant", "--participant-label", person)
    assert finished.code == REFUSED[person].code
    assert finished.last_words.startswith(f"bids-eeg2fmri: failed: {label(person)}: ")


@pytest.mark.parametrize("person", READ)
def test_what_is_wrong_with_positions_and_sidecars_is_said(short_dataset: Path, tmp_path: Path, person: str) -> None:
    damage, source, says = READ[person]
    root = tmp_path / "ds"
    (files,) = copies_of(short_dataset, root, [person]).values()
    damage(files)
    settings = Settings(root, tmp_path / "out", "participant")
    (file,) = select_recordings(settings).recordings
    recording = read_recording(file, settings)
    assert recording.positions_source == source
    assert says in " ".join(recording.warnings) and (says != "" or recording.warnings == ())
    template = template_positions_m(recording.channel_names)
    assert np.linalg.norm(recording.positions_m - template, axis=1).mean() < 0.03
    assert set(recording.cleaning.bad_channels) == ({"F3"} if person == "someinfinite" else set())


def test_damage_after_a_run_loses_nothing(dataset: Path, output: Path, finished, here, res_4, snapshot) -> None:
    """The input is cut after its outputs were made: they stay, and the run says what is wrong."""
    files, before = Files(dataset, "sound"), snapshot(output)
    whole, asked = files.data.read_bytes(), ("--participant-label", "sound", *res_4)
    files.cut(200_001)
    cut = here(dataset, output, "participant", *asked)
    assert cut.code == 65 and "truncated" in cut.last_words
    after = snapshot(output)
    assert {path for path in before if after[path] != before[path]} <= {"sub-sound.html"}
    files.data.write_bytes(whole)
    assert here(dataset, output, "participant", *asked).table[label("sound")][0] == "done"
