from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.bids.bids_name import BidsName, parse_name

word = st.text("abcXYZ019", min_size=1, max_size=5)


@given(st.dictionaries(word, word, max_size=5), word, st.sampled_from([".edf", ".nii.gz", ".json"]))
def test_parsing_undoes_joining(entities: dict[str, str], suffix: str, extension: str) -> None:
    name = "_".join([*(f"{key}-{value}" for key, value in entities.items()), suffix]) + extension
    assert parse_name(name) == BidsName(entities, suffix, extension)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_none(text: str) -> None:
    parsed = parse_name(text)
    assert parsed is None or (parsed.suffix and parsed.extension.startswith("."))


@pytest.mark.parametrize(
    "name", ["README", ".tmp-1_sub-01_eeg.edf", "sub-01_.edf", "sub-_eeg.edf", "sub_01_eeg.edf", "sub-01.html", ""]
)
def test_other_names_are_none(name: str) -> None:
    assert parse_name(name) is None
