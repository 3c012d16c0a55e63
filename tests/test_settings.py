from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.settings import OutputSpace, Settings, settings_toml


def settings(**options: object) -> Settings:
    return Settings(Path("/in"), Path("/out"), "participant", **options)  # type: ignore[arg-type]


def test_settings_are_the_key_of_a_cache() -> None:
    one, two = settings(derivatives={"clean": Path("/a")}), settings(derivatives={"clean": Path("/a")})
    assert hash(one) == hash(two)
    assert one == two
    assert one != settings(derivatives={"clean": Path("/b")})


def test_scratch_dir_is_ours_alone() -> None:
    assert settings(work_dir=Path("/tmp")).scratch_dir == Path("/tmp/bids_eeg2fmri")  # noqa: S108


def test_toml_uses_option_names_and_leaves_out_what_was_not_asked() -> None:
    content = tomllib.loads(settings_toml(settings(tr_s=2.5, mem_bytes=16_000_000_000, task_id=("rest",))))
    assert content["tr"] == 2.5
    assert content["mem"] == "16000000000B"
    assert content["analysis_level"] == "participant"
    assert content["task_id"] == ["rest"]
    assert content["output_spaces"] == ["MNI152NLin2009cAsym:res-2"]
    assert content["dry_run"] is False
    assert not {"volume_marker", "tr_s", "mem_bytes", "reference_image"} & set(content)


def test_toml_of_a_reference_image() -> None:
    spaces = (OutputSpace(resolution=None, reference_image=Path("/ref.nii.gz")),)
    content = tomllib.loads(settings_toml(settings(output_spaces=spaces)))
    assert content["reference_image"] == "/ref.nii.gz"
    assert "output_spaces" not in content


printable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(marker=printable, folder=printable.filter(lambda text: "\0" not in text))
def test_any_text_survives_toml(marker: str, folder: str) -> None:
    path = Path("/") / folder
    content = tomllib.loads(settings_toml(settings(volume_marker=marker, derivatives={marker: path})))
    assert content["volume_marker"] == marker
    assert content["derivatives"] == {marker: str(path)}
