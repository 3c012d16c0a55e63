from __future__ import annotations

import re
from pathlib import Path

import eeglabio
import mne
import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bids_eeg2fmri.eeg.declared import check_declared
from bids_eeg2fmri.eeg.formats import open_raw
from bids_eeg2fmri.errors import BadDataError, Eeg2fmriError, MissingInputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat" / "sub-00" / "eeg" / "sub-00_task-rest_eeg.edf"


@pytest.fixture
def header(tmp_path: Path, brainvision, cap) -> Path:
    return brainvision(tmp_path, 1e-5 * np.random.default_rng(0).standard_normal((len(cap), 1000)), 250.0, cap)


def test_missing_and_dangling(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        open_raw(tmp_path / "absent_eeg.edf")
    link = tmp_path / "annexed_eeg.edf"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(MissingInputError) as caught:
        open_raw(link)
    assert "datalad" in str(caught.value.remedy)


@pytest.mark.parametrize("name", ["a_eeg.edf", "a_eeg.bdf", "a_eeg.set", "a_eeg.vhdr", "a_eeg.fif"])
@pytest.mark.parametrize("content", [b"", b"0       ", b"nonsense\n" * 100])
def test_empty_and_foreign_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadDataError) as caught:
        open_raw(path)
    assert caught.value.path == path
    assert caught.value.remedy


def test_unknown_format(tmp_path: Path) -> None:
    (tmp_path / "a_eeg.cnt").write_bytes(b"x")
    with pytest.raises(BadDataError, match=r"\.cnt"):
        open_raw(tmp_path / "a_eeg.cnt")


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_truncated_edf(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "a_eeg.edf"
    content = EXAMPLE.read_bytes()
    path.write_bytes(content[: max(round(kept * len(content)), 5632)])
    with pytest.raises(BadDataError, match=rf"truncated.*{len(content)}"):
        open_raw(path)


def test_brainvision_without_samples(header: Path) -> None:
    data = header.with_suffix(".eeg")
    content = data.read_bytes()
    data.write_bytes(b"")
    with pytest.raises(BadDataError, match="empty") as caught:
        open_raw(header)
    assert caught.value.path == data
    data.write_bytes(content[:-3])
    with pytest.raises(BadDataError, match="truncated: it holds 999 samples"):
        open_raw(header)
    data.unlink()
    with pytest.raises(MissingInputError) as absent:
        open_raw(header)
    assert absent.value.path == data


def test_brainvision_shorter_than_its_header_says(header: Path) -> None:
    text = header.read_text(encoding="utf-8")
    header.write_text(text.replace("NumberOfChannels", "DataPoints=1500\nNumberOfChannels"), encoding="utf-8")
    with pytest.raises(BadDataError, match=r"holds 1000 samples.*says 1500"):
        open_raw(header)


def test_brainvision_with_blanks_around_the_equals_signs(header: Path) -> None:
    text = re.sub(r"^(\w+)=", r"\1 \t= ", header.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "DataFile \t= " in text and "Ch1 \t= " in text
    header.write_text(text, encoding="utf-8")
    assert open_raw(header).n_times == 1000
    header.write_text(re.sub("^(NumberOfChannels.*)", r"\1\nDataPoints = 1500", text, flags=re.M), encoding="utf-8")
    with pytest.raises(BadDataError, match=r"holds 1000 samples.*says 1500"):
        open_raw(header)
    header.write_text(text.replace("Ch2 \t= ", "Note = "), encoding="utf-8")
    with pytest.raises(BadDataError, match="describes"):
        open_raw(header)


@pytest.mark.parametrize(
    ("written", "variant"),
    [
        ("[Common Infos]", "[Common infos]"),
        ("[Common Infos]", "[Common Infos] ; of the recorder"),
        ("NumberOfChannels=", "numberofchannels="),
        ("DataFile=", "DATAFILE=./"),
        ("Ch2=", "ch2="),
        ("NumberOfChannels=", "DataPoints=0\nNumberOfChannels="),
        ("NumberOfChannels=", "DataPoints=-1\nNumberOfChannels="),
        ("NumberOfChannels=", "DataPoints=1009\nNumberOfChannels="),
        ("NumberOfChannels=", "DataPoints=992\nNumberOfChannels="),
    ],
)
def test_brainvision_headers_of_other_programs(header: Path, written: str, variant: str) -> None:
    text = header.read_text(encoding="utf-8")
    assert written in text
    header.write_text(text.replace(written, variant), encoding="utf-8")
    assert open_raw(header).n_times == 1000


def test_samples_that_a_header_counts_wrongly_by_a_few_are_told(header: Path, recording_file) -> None:
    text = header.read_text(encoding="utf-8")
    for stated, n_warnings in ((1000, 0), (0, 0), (1009, 1)):
        header.write_text(text.replace("NumberOfChannels", f"DataPoints={stated}\nNumberOfChannels"), "utf-8")
        warnings = check_declared(recording_file(header), open_raw(header), 0)
        assert len(warnings) == n_warnings and all("DataPoints 1009" in warning for warning in warnings)
    vectorized = header.read_text("utf-8").replace("MULTIPLEXED", "VECTORIZED")
    assert vectorized != header.read_text("utf-8")
    header.write_text(vectorized, "utf-8")
    with pytest.raises(BadDataError, match="says 1009"):
        open_raw(header)


def test_markers_elsewhere_are_not_read(header: Path) -> None:
    text = header.read_text(encoding="utf-8")
    header.write_text(re.sub("MarkerFile=.*", "MarkerFile=../else.vmrk", text), encoding="utf-8")
    with pytest.raises(BadDataError, match=r"no marker file beside it \(MarkerFile=\.\./else\.vmrk"):
        open_raw(header)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_truncated_fif(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "whole_eeg.fif"
    info = mne.create_info(10, 250.0, "eeg")
    mne.io.RawArray(np.zeros((10, 20_000)), info, verbose="ERROR").save(path, verbose="ERROR")
    assert open_raw(path).n_times == 20_000
    content = path.read_bytes()
    part = tmp_path / "part_eeg.fif"
    part.write_bytes(content[: round(kept * len(content))])
    with pytest.raises(BadDataError, match="truncated"):
        open_raw(part)


def test_truncated_eeglab_data(tmp_path: Path) -> None:
    names = [f"E{i}" for i in range(4)]
    path = tmp_path / "a_eeg.set"
    eeglabio.raw.export_set(str(path), np.zeros((4, 1000)), 250.0, names)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadDataError, match="EEGLAB"):
        open_raw(path)


def write_set(path: Path, data: str) -> None:
    """An EEGLAB file of 4 channels and 1000 samples, which are in another file."""
    fields = {"nbchan": 4.0, "pnts": 1000.0, "trials": 1.0, "srate": 250.0, "xmin": 0.0, "xmax": 4.0, "setname": "a"}
    locations = np.array([(f"E{i}",) for i in range(4)], dtype=[("labels", object)])
    empty = {name: np.zeros((0, 0)) for name in ("icawinv", "icasphere", "icaweights", "event", "epoch")}
    scipy.io.savemat(path, {"EEG": fields | empty | {"data": data, "chanlocs": locations, "ref": "common"}})


def test_eeglab_with_short_separate_data(tmp_path: Path) -> None:
    path = tmp_path / "a_eeg.set"
    write_set(path, "a_eeg.fdt")
    np.zeros(4000, dtype="<f4").tofile(tmp_path / "a_eeg.fdt")
    assert open_raw(path).n_times == 1000
    np.zeros(3999, dtype="<f4").tofile(tmp_path / "a_eeg.fdt")
    with pytest.raises(BadDataError, match=r"15996 bytes.*16000"):
        open_raw(path)


def test_eeglab_reads_the_data_of_its_own_name_only(tmp_path: Path) -> None:
    """Only they are part of the input's digest."""
    folder = tmp_path / "eeg"
    folder.mkdir()
    path, own = folder / "a_eeg.set", folder / "a_eeg.fdt"
    for there in (tmp_path / "secret.fdt", folder / "old.fdt"):
        np.zeros(4000, dtype="<f4").tofile(there)
    for named in ("../secret.fdt", "old.fdt"):
        write_set(path, named)
        with pytest.raises(BadDataError, match=r"samples in \w+\.fdt, which is not a_eeg\.fdt beside it"):
            open_raw(path)
    # Whoever renamed the two files did not change the name in the first.
    write_set(path, "gone.fdt")
    (folder / "old.fdt").rename(tmp_path / "annexed")
    own.symlink_to(tmp_path / "annexed")
    assert open_raw(path).n_times == 1000


def test_noddi_headers_alone(noddi) -> None:
    with pytest.raises(BadDataError, match="empty"):
        open_raw(noddi("32", derivative=True))


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=600), st.sampled_from([".edf", ".bdf", ".vhdr", ".set"]))
def test_any_bytes_are_refused_without_a_traceback(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a_eeg{suffix}"
    path.write_bytes(content)
    with pytest.raises(Eeg2fmriError):
        open_raw(path)
