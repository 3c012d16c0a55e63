from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from argparse import ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bids_eeg2fmri.levels.participant
from bids_eeg2fmri import __version__
from bids_eeg2fmri.cli import main, parse
from bids_eeg2fmri.errors import BadDataError, NothingSelectedError, UnknownLevelError
from bids_eeg2fmri.option_values import derivative, label, memory_bytes, output_space
from bids_eeg2fmri.parser import build_parser
from bids_eeg2fmri.settings import OutputSpace, Settings, settings_toml

Parse = Callable[..., Settings]

VALUES = {
    "participant_label": ["sub-01", "02"],
    "exclude_participant_label": ["03"],
    "session_label": ["ses-a"],
    "task_id": ["task-rest", "music"],
    "run_id": ["1"],
    "random_seed": ["7"],
    "device": ["cpu"],
    "nprocs": ["4"],
    "executor": ["dask"],
    "dask_cluster": ["slurm"],
    "omp_nthreads": ["2"],
    "mem_bytes": ["16G"],
    "tr_s": ["2.16"],
    "volume_marker": ["R128"],
    "montage": ["standard_1020"],
    "model": ["neuralfield-sim"],
    "output_spaces": ["MNI152NLin2009cAsym:res-3"],
    "output_layout": ["bids"],
    "network": ["calhas2022"],
    "from_model": ["neuralfield-sim"],
    "folds": ["loso"],
    "test_participants": ["01"],
    "validation_participants": ["sub-01"],
    "confounds": ["csf"],
    "epochs": ["3"],
    "batch_size": ["8"],
    "learning_rate": ["0.001"],
    "search": ["8"],
    "explain": ["Vis", "Thalamus"],
    "parcellation": ["schaefer200"],
    "n_samples": ["10"],
    "classify": ["group"],
    "classify_unit": ["recording"],
    "permutations": ["99"],
    "contrast": ["age"],
    "contrast_weights": ["none"],
    "work_dir": ["scratch"],
    "bids_database_dir": ["db"],
    "fs_license_file": ["license.txt"],
}
FILES = {
    "bids_filter_file": ("filter.json", '{"eeg": {}}'),
    "reference_image": ("reference.nii.gz", ""),
    "config_file": ("config.toml", ""),
    "network_config": ("network.json", "{}"),
}
LONG_OPTIONS = [
    (option, action)
    for action in build_parser()._actions
    for option in action.option_strings
    if option not in ("-h", "--help", "--version")
]
# Every spelling of conventions section 1.1 that is more than a dash or underscore twin.
SPELLINGS = [
    "-t --task-id --task_id --session-id --session_id --session-label --session_label --run-id",
    "--participant-label --participant_label --bids-filter-file --bids_filter_file --bids-database-dir",
    "-d --derivatives --datasets --skip-bids-validation --skip_bids_validation --skip_bids_validator",
    "-w --work-dir --work_dir --clean-workdir --nprocs --nthreads --n-cpus --n_cpus --n-procs --n_procs",
    "--omp-nthreads --mem --mem-mb --mem_mb --mem-gb --mem_gb --low-mem --output-spaces --output-layout",
    "--config-file --boilerplate-only --boilerplate_only --md-only-boilerplate --reports-only --dry-run",
    "--notrack --stop-on-first-crash --random-seed --sloppy --debug --fs-license-file -v --version",
    "--model --device --tr --overwrite --exclude-participant-label --exclude_participant_label --volume-marker",
    "--montage --allow-gradient-artefact --reference-image --float32 --seed",
    "--network --from --network-config --folds --test-participants --validation-participants --confounds",
    "--epochs --batch-size --learning-rate --search",
    "--explain --parcellation --parcels-only --n-samples --embed-report",
    "--classify --classify-unit --permutations --contrast --contrast-weights",
]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "clean").mkdir()
    for name, content in FILES.values():
        (tmp_path / name).write_text(content)
    # The command sets variables for the libraries of its process, which here is that of the tests.
    with mock.patch.dict(os.environ):
        yield tmp_path


@pytest.fixture
def parsed(folders: Path) -> Parse:
    def run(*options: str) -> Settings:
        return parse(["in", "out", "participant", *options])[0]

    return run


def refused(folders: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command line that argparse refuses with exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_defaults(parsed: Parse, folders: Path) -> None:
    expected = Settings(folders / "in", folders / "out", "participant", work_dir=folders / "work")
    assert parsed() == expected


@pytest.mark.parametrize(("option", "action"), LONG_OPTIONS)
def test_every_spelling_is_understood(parsed: Parse, folders: Path, option: str, action: object) -> None:
    dest = action.dest  # type: ignore[attr-defined]
    if isinstance(action, BooleanOptionalAction):
        settings = parsed(option)
        assert getattr(settings, dest, None) in (None, not option.startswith("--no-"))
    elif dest == "verbosity":
        assert parsed(option, option).verbosity == 2
    elif dest == "derivatives":
        assert parsed(option, "clean=clean").derivatives == {"clean": folders / "clean"}
    else:
        values = [FILES[dest][0]] if dest in FILES else VALUES[dest]
        canonical = next(o for o in action.option_strings if o.startswith("--"))  # type: ignore[attr-defined]
        assert parsed(option, *values) == parsed(canonical, *values)
        if dest in Settings.__dataclass_fields__:
            assert getattr(parsed(option, *values), dest) != getattr(parsed(), dest) or dest == "model"


def test_every_dash_has_its_underscore() -> None:
    options = {option for option, _ in LONG_OPTIONS}
    for option in options:
        if option.startswith("--") and not option.startswith("--no-"):
            assert "--" + option[2:].replace("-", "_") in options


def test_the_spellings_of_other_apps() -> None:
    options = {option for action in build_parser()._actions for option in action.option_strings}
    assert set(" ".join(SPELLINGS).split()) <= options


def test_values(parsed: Parse, folders: Path) -> None:
    settings = parsed(
        *("--participant-label", "sub-01", "02", "--participant-label", "01", "--session-id", "ses-a"),
        *("--mem", "4.5G", "--tr", "2.16", "--output-spaces", "MNI152NLin2009cAsym:res-1", "MNI152NLin2009cAsym"),
        *("--reference-image", "reference.nii.gz", "--bids-filter-file", "filter.json"),
    )
    assert settings.participant_label == ("01", "02")
    assert settings.session_label == ("a",)
    assert settings.mem_bytes == 4_500_000_000
    assert settings.tr_s == 2.16
    assert settings.output_spaces == (
        OutputSpace(resolution="1"),
        OutputSpace(),
        OutputSpace(resolution=None, reference_image=folders / "reference.nii.gz"),
    )
    assert settings.bids_filter_file == folders / "filter.json"


def test_explaining_needs_no_regions(parsed: Parse, folders: Path) -> None:
    assert parsed().explain is None
    assert parsed("--explain").explain == ()
    (folders / "extras.toml").write_text("explain = []\nparcels_only = true\n")
    settings = parsed("--config-file", "extras.toml")
    assert settings.explain == ()
    assert settings.parcels_only


@pytest.mark.parametrize(
    ("level", "options", "belongs_to"),
    [
        ("participant", ("--classify", "group"), "group"),
        ("group", ("--explain",), "participant"),
        ("train", ("--parcels-only",), "participant"),
        ("group", ("--search", "3"), "train"),
    ],
)
def test_an_option_of_another_level_is_named(
    folders: Path, level: str, options: tuple[str, ...], belongs_to: str
) -> None:
    (note,) = parse(["in", "out", level, *options])[1]
    assert note == f"{options[0]} has no effect at the level {level}; it belongs to {belongs_to}."
    assert parse(["in", "out", belongs_to, *options])[1] == ()


def test_a_parcellation_is_found_from_anywhere(parsed: Parse, folders: Path) -> None:
    assert parsed("--parcellation", "labels.nii.gz").parcellation == str(folders / "labels.nii.gz")
    assert parsed("--parcellation", "Schaefer200").parcellation == "Schaefer200"


def test_a_reference_image_alone_replaces_the_default_grid(parsed: Parse) -> None:
    (space,) = parsed("--reference-image", "reference.nii.gz").output_spaces
    assert space.resolution is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--participant-lab", "01"], "unrecognized arguments"),
        (["--mem", "16"], "with a unit"),
        (["--mem", "16X"], "with a unit"),
        (["--mem", "0G"], "no memory"),
        (["--tr", "0"], "above zero"),
        (["--tr", "nan"], "above zero"),
        (["--nprocs", "0"], "above zero"),
        (["--nprocs", "two"], "above zero"),
        (["--random-seed", "-1"], "expected one argument|whole number"),
        (["--device", "tpu"], "invalid choice"),
        (["--output-spaces", "T1w"], "known: MNI152NLin2009cAsym:res-1"),
        (["--output-spaces", "MNI152NLin2009cAsym:res-5"], "known: MNI152NLin2009cAsym:res-1"),
        (["--output-spaces", "MNI152NLin2009cAsym:cohort-1"], "unknown resolution"),
        (["--output-layout", "legacy"], "invalid choice"),
        (["--participant-label", "a b"], "not a BIDS label"),
        (["--participant-label", "01", "/data"], "not a BIDS label"),
        (["--derivatives", "clean=missing"], "missing: --derivatives clean is not a folder"),
        (["--derivatives", "clean", "clean=clean"], "two datasets are named 'clean'"),
        (["--derivatives", "raw=clean"], "named 'raw'"),
        (["--derivatives", "=clean"], "not NAME=DIR"),
        (["--reference-image", "none.nii"], "does not exist"),
        (["--bids-filter-file", "none.json"], "cannot be opened"),
        (["--config-file", "none.toml"], "cannot be read"),
        (["--work-dir", "in/work"], "scratch folder lies inside BIDS_DIR"),
        (["--bids-database-dir", "in/db"], "would be written into BIDS_DIR"),
    ],
)
def test_options_that_are_refused(
    folders: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    line = refused(folders, capsys, "in", "out", "participant", *options)
    assert any(part in line for part in message.split("|")), line


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("in", "same as BIDS_DIR"),
        ("in/../in", "same as BIDS_DIR"),
        ("in/sub-01", "lies inside BIDS_DIR"),
        ("in/out", "lies inside BIDS_DIR"),
        ("in/derivatives", "lies inside BIDS_DIR"),
    ],
)
def test_outputs_that_are_refused(folders: Path, capsys: pytest.CaptureFixture[str], output: str, message: str) -> None:
    assert message in refused(folders, capsys, "in", output, "participant")


def test_an_output_inside_through_a_link_is_refused(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "link").symlink_to("in")
    assert "lies inside" in refused(folders, capsys, "in", "link/out", "participant")


def test_an_output_below_derivatives_is_fine(folders: Path) -> None:
    settings, _ = parse(["in", "in/derivatives/eeg2fmri", "participant", "--derivatives", "clean"])
    assert settings.output_dir == folders / "in/derivatives/eeg2fmri"


def test_an_output_inside_the_cleaned_dataset_is_refused(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--derivatives" in refused(folders, capsys, "in", "clean", "participant", "-d", "clean")


def test_a_missing_input_is_refused(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "BIDS_DIR is not a folder" in refused(folders, capsys, "nowhere", "out", "participant")


def test_a_broken_filter_file_is_refused_with_its_place(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "filter.json").write_text('{"eeg": {"task" "rest"}}')
    line = refused(folders, capsys, "in", "out", "participant", "--bids-filter-file", "filter.json")
    assert "line 1, column 17" in line


def test_unknown_level(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownLevelError):
        parse(["nowhere", "out", "second"])
    assert main(["nowhere", "out", "second"]) == 17
    line = capsys.readouterr().err.splitlines()[-1]
    assert "'second'" in line and "participant, group" in line


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"bids_eeg2fmri v{__version__}\n"


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "SYNTHETIC" in text and "not measured" in text
    assert "bids-eeg2fmri /data/bids /data/out participant --dry-run" in text
    assert "--participant_label" not in text
    assert "--no-" not in text.replace("--no-OPTION-NAME", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["in", "out", "participant", "--bogus"]])
def test_nothing_heavy_is_imported_for_an_answer(arguments: list[str], tmp_path: Path) -> None:
    heavy = ("jax", "mne", "mne_bids", "nilearn", "pandas", "numpy", "scipy", "bids", "matplotlib", "rich")
    code = (
        "import sys\nfrom bids_eeg2fmri.cli import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_python_dash_m() -> None:
    done = subprocess.run([sys.executable, "-m", "bids_eeg2fmri", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"bids_eeg2fmri v{__version__}\n")


def test_config_file_and_command_line(parsed: Parse, folders: Path) -> None:
    (folders / "config.toml").write_text(
        'participant-label = ["sub-01", "02"]\ntask_id = "rest"\ntr = 2.16\nmem = "16G"\nlow_mem = true\n'
        'nprocs = 4\nverbosity = 1\noutput_spaces = ["MNI152NLin2009cAsym:res-3"]\ndevice = "cpu"\n'
        'derivatives = {one = "clean"}\n'
    )
    settings = parsed("--config-file", "config.toml", "--nprocs", "2", "--participant-label", "05", "--no-low-mem")
    assert settings.participant_label == ("05",)
    assert settings.nprocs == 2
    assert settings.low_mem is False
    assert settings.task_id == ("rest",)
    assert (settings.tr_s, settings.mem_bytes, settings.verbosity) == (2.16, 16_000_000_000, 1)
    assert settings.output_spaces == (OutputSpace(resolution="3"),)
    assert settings.derivatives == {"one": folders / "clean"}


def test_sloppy_is_coarse_unless_a_grid_is_asked_for(parsed: Parse) -> None:
    assert [space.resolution for space in parsed("--sloppy").output_spaces] == ["4"]
    assert [s.resolution for s in parsed("--sloppy", "--output-spaces", "MNI152NLin2009cAsym:res-3").output_spaces] == [
        "3"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("participants = ['01']", "unknown key 'participants'. Known: allow_gradient_artefact"),
        ("tr = 'fast'", "key 'tr': 'fast' is not a number above zero"),
        ("low_mem = 1", "key 'low_mem': true or false"),
        ("nprocs = true", "key 'nprocs': True does not fit"),
        ("nprocs = [1]", "key 'nprocs'"),
        ("device = 'tpu'", "not one of auto, cpu, gpu"),
        ("mem = 16", "with a unit"),
        ("tr = ", "not TOML"),
    ],
)
def test_config_files_that_are_refused(
    folders: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (folders / "config.toml").write_text(content)
    assert message in refused(folders, capsys, "in", "out", "participant", "--config-file", "config.toml")


def test_logged_settings_reproduce_the_run(parsed: Parse, folders: Path) -> None:
    settings = parsed(
        *("--participant-label", "01", "--tr", "2.16", "--mem", "4.5G", "--derivatives", "one=clean", "--low-mem"),
        *("--output-spaces", "MNI152NLin2009cAsym:res-3", "--reference-image", "reference.nii.gz", "-vv"),
        *("--volume-marker", 'R "128"', "--device", "cpu", "--nprocs", "3", "--random-seed", "5", "--dry-run"),
    )
    (folders / "config.toml").write_text(settings_toml(settings))
    assert parsed("--config-file", "config.toml") == settings
    assert parsed("--config-file", "config.toml", "--no-dry-run") == replace(settings, dry_run=False)


@pytest.mark.parametrize("problem", ["one line.", "one line.\n  a table\n  of things"])
def test_the_last_line_says_what_failed(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: str
) -> None:
    def fail(settings: Settings, command: str) -> int:
        raise NothingSelectedError(problem, remedy="Do this.")

    monkeypatch.setattr(bids_eeg2fmri.levels.participant, "run_participant", fail)
    assert main(["in", "out", "participant"]) == 18
    assert capsys.readouterr().err.splitlines()[-1] == "bids-eeg2fmri: error: one line. Do this."


def test_the_level_gets_settings_and_command(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def run(settings: Settings, command: str) -> int:
        seen.update(settings=settings, command=command)
        return BadDataError.exit_code

    monkeypatch.setattr(bids_eeg2fmri.levels.participant, "run_participant", run)
    assert main(["in", "out dir", "participant", "--tr", "2"]) == 65
    assert seen["command"] == "bids-eeg2fmri in 'out dir' participant --tr 2"
    assert seen["settings"].tr_s == 2.0


def test_ignored_options_say_so(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bids_eeg2fmri.levels.participant, "run_participant", lambda settings, command: 0)
    assert main(["in", "out", "participant", "--fs-license-file", "x", "--notrack", "--output-layout", "bids"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("ignored") == 1 and not captured.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    def interrupt(settings: Settings, command: str) -> int:
        signal.raise_signal(number)
        return 0

    monkeypatch.setattr(bids_eeg2fmri.levels.participant, "run_participant", interrupt)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["in", "out", "participant"]) == code
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "interrupted" in capsys.readouterr().err


def test_a_fault_of_the_program(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(settings: Settings, command: str) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(bids_eeg2fmri.levels.participant, "run_participant", fault)
    assert main(["in", "out", "participant"]) == 1
    assert "please report" in capsys.readouterr().err.splitlines()[-1]


def test_group_level(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = types.ModuleType("group")
    group.run_group = lambda settings, command: 0 if settings.level == "group" else 1  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bids_eeg2fmri.levels.group", group)
    assert main(["in", "out", "group"]) == 0


UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@given(
    number=st.integers(1, 10**6),
    unit=st.sampled_from("KMGT"),
    ending=st.sampled_from(["", "B", "b"]),
    lower=st.booleans(),
    space=st.sampled_from(["", " "]),
)
def test_memory_with_a_unit(number: int, unit: str, ending: str, lower: bool, space: str) -> None:
    text = f"{number}{space}{unit.lower() if lower else unit}{ending}"
    assert memory_bytes(text) == number * UNITS[unit]
    assert memory_bytes(f"{number}{unit}iB") == number * 1024 ** "_KMGT".index(unit)


@given(st.one_of(st.integers(), st.floats(allow_nan=True)))
def test_memory_without_a_unit_is_refused(number: float) -> None:
    with pytest.raises(ArgumentTypeError, match="unit"):
        memory_bytes(str(number))


@given(st.text(max_size=12))
def test_any_memory_text_is_bytes_or_refused(text: str) -> None:
    try:
        assert memory_bytes(text) > 0
    except ArgumentTypeError as error:
        assert repr(text) in str(error)


@given(st.text("abzABZ0189", min_size=1, max_size=8), st.booleans())
def test_labels_lose_their_prefix(value: str, prefixed: bool) -> None:
    assert label("sub")(f"sub-{value}" if prefixed else value) == value


@given(st.text(max_size=8).filter(lambda text: not text.removeprefix("sub-").isalnum()))
def test_other_labels_are_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="BIDS label"):
        label("sub")(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clean=/a/b", ("clean", Path("/a/b"))),
        ("/a/b", ("b", Path("/a/b"))),
        ("/a=x/b", ("b", Path("/a=x/b"))),
        ("clean=/a=x", ("clean", Path("/a=x"))),
    ],
)
def test_derivatives(text: str, expected: tuple[str, Path]) -> None:
    assert derivative(text) == expected


def test_the_known_resolutions_are_those_of_the_grids() -> None:
    from bids_eeg2fmri.bold.grid import make_grid
    from bids_eeg2fmri.settings import RESOLUTIONS, SPACE

    assert make_grid(output_space(f"{SPACE}:res-4")).resolution == "4"
    with pytest.raises(Exception, match=", ".join(f"res-{resolution}" for resolution in RESOLUTIONS)):
        make_grid(OutputSpace(resolution="5"))


def test_a_json_filter_of_wrong_kind_is_refused(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "filter.json").write_text(json.dumps({"eeg": {"task": 1.5}}))
    assert "'task'" in refused(folders, capsys, "in", "out", "participant", "--bids-filter-file", "filter.json")
