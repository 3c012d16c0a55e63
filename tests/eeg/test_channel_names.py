from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.eeg.names import parse_names
from bids_eeg2fmri.eeg.standard_montage import standard_positions

ELECTRODES = [name for name in standard_positions("standard_1005") if name not in ("A1", "A2", "M1", "M2")]


@pytest.mark.parametrize(
    ("original", "name", "kind"),
    [
        ("EEG Fp1", "Fp1", "electrode"),
        ("Fp1-A1", "Fp1", "electrode"),
        ("FP1", "Fp1", "electrode"),
        ("EEG FP1-REF", "Fp1", "electrode"),
        ("EEG Fp1-LE", "Fp1", "electrode"),
        ("POL C3", "C3", "electrode"),
        ("Fp1.", "Fp1", "electrode"),
        ("Fc5..", "FC5", "electrode"),
        ("FCZ", "FCz", "electrode"),
        ("C3-0", "C3", "electrode"),
        ("T3", "T3", "electrode"),
        ("A2-A1", "A2-A1", "reference pair"),
        ("EEG A2-A1", "A2-A1", "reference pair"),
        ("M1", "M1", "reference"),
        ("F3-C3", "F3-C3", "bipolar"),
        ("EEG F3-C3", "F3-C3", "bipolar"),
        ("EEG 001", "EEG 001", "other"),
        ("Fp1-XYZ", "Fp1-XYZ", "other"),
        ("E17", "E17", "other"),
        ("Status", "Status", "other"),
    ],
)
def test_name(original: str, name: str, kind: str) -> None:
    channel = parse_names([original])[0]
    assert (channel.original, channel.name, channel.kind) == (original, name, kind)


@given(
    st.sampled_from(ELECTRODES),
    st.sampled_from(["", "EEG ", "eeg-", "EEG_", "POL "]),
    st.sampled_from(["", "-A1", "-REF", "-Ref", ".", "..", " ", "-AVG"]),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_decorations_never_change_the_electrode(electrode: str, prefix: str, suffix: str, case) -> None:
    assert parse_names([prefix + case(electrode) + suffix])[0].name == electrode


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_text_is_answered(names: list[str]) -> None:
    channels = parse_names(names)
    assert [channel.original for channel in channels] == names


def test_second_electrode_shared_by_all_is_their_reference(cap: list[str]) -> None:
    channels = parse_names([f"{name}-Cz" for name in cap if name != "Cz"])
    assert {channel.kind for channel in channels} == {"electrode"}
    assert channels[0].name == "Fp1"


def test_biosemi_cells_are_no_references_and_no_electrodes() -> None:
    cells = [f"{bank}{number}" for bank in "AB" for number in range(1, 33)]
    assert {channel.kind for channel in parse_names(cells)} == {"other"}
