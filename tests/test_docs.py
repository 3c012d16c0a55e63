"""The documents say what the program does: options, codes, keys, columns, panels, links and commands."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from site_hooks import tables, with_options

from bids_eeg2fmri import errors
from bids_eeg2fmri.bids.filter_file import read_filter_file
from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.confounds import confounds_table, drift_names
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.bold.real_bold import RealBold
from bids_eeg2fmri.config_file import read_config_file
from bids_eeg2fmri.derivatives import sidecars
from bids_eeg2fmri.derivatives.completeness import EXPLAINED, RunHashes
from bids_eeg2fmri.derivatives.contrast import ContrastNames
from bids_eeg2fmri.derivatives.encoding import bold_encoding
from bids_eeg2fmri.derivatives.evaluated_caps import EvaluatedCaps
from bids_eeg2fmri.derivatives.names import UNCERTAINTY_PARTS, output_names
from bids_eeg2fmri.derivatives.parcel_names import PARCELLATION, SAMPLES, SEED, ParcelNames
from bids_eeg2fmri.derivatives.provenance import ModelProvenance
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.eeg.spectra import BANDS_HZ
from bids_eeg2fmri.levels.scanner_bold import ScannerBold
from bids_eeg2fmri.network.lags import MEMORY_S
from bids_eeg2fmri.parser import build_parser
from bids_eeg2fmri.phantom import cli as phantom
from bids_eeg2fmri.report.group_table import column_names
from bids_eeg2fmri.report.panels import PANELS
from bids_eeg2fmri.report.score_definitions import SCORES
from bids_eeg2fmri.settings import OutputSpace

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = re.compile(r"bids-eeg2fmri(-phantom)?|bids_eeg2fmri(:\w+)?|[\w/]+\.sif")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
# Pages that name options of other programs, too.
WITH_OTHERS = {"README", "installation", "hpc", "neighbours", "published_benchmarks", "faq"}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def documented(text: str) -> set[str]:
    """Everything between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


# --- usage.md ---------------------------------------------------------------------------------------------------


@pytest.fixture
def phantom_options(capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        phantom.parse(["--help"])
    return set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))


@pytest.fixture(scope="module")
def usage() -> str:
    """The page as it is built: with the tables that are made from the parsers."""
    return with_options(read("docs/usage.md"))


def test_the_usage_has_the_options_of_every_group() -> None:
    assert sorted(re.findall(r"^<!-- options: (.+) -->$", read("docs/usage.md"), re.MULTILINE)) == sorted(tables())


def test_the_tables_say_what_the_options_take_and_mean(usage: str) -> None:
    for row in (
        "| <code>--nprocs</code>, <code>--nthreads</code>, <code>--n-cpus</code>, <code>--n-procs</code>, "
        "<code>-n-cpus N</code> | Recordings worked on at the same time, each in its own process (default: 1) |",
        "| <code>--explain [REGION ...]</code> |",
        "| <code>--device {auto,cpu,gpu}</code> |",
        "| <code>--model NAME&#124;DIR</code> |",
        "| <code>--overwrite</code> | Redo recordings that are already done |",
    ):
        assert f"\n{row}" in usage


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem not in WITH_OTHERS], ids=lambda page: page.stem)
def test_no_page_names_an_option_that_does_not_exist(page: Path, phantom_options: set[str]) -> None:
    known = {name for action in build_parser()._actions for name in action.option_strings}
    named = set(re.findall(r"`(?:\w+ )?(--[a-z0-9][\w-]*)", page.read_text("utf-8")))
    assert named - {"--option-name", "--option_name", "--no-"} <= known | phantom_options


def test_the_files_of_the_usage_are_understood(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = ROOT / "docs" / "usage.md"
    (toml,), (invocation, query) = blocks(page, "toml"), blocks(page, "json")
    (tmp_path / "config.toml").write_text(toml)
    (tmp_path / "filter.json").write_text(query)
    assert set(json.loads(invocation)) <= {item["id"] for item in json.loads(read("boutiques.json"))["inputs"]}
    read_filter_file(tmp_path / "filter.json")
    assert not caplog.records
    values = read_config_file(tmp_path / "config.toml", build_parser())
    assert values["output_spaces"] == [OutputSpace(resolution="3")]


def test_every_exit_code_stands_in_the_usage() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    codes = {0, 1, 2} | {kind.exit_code for kind in kinds if issubclass(kind, errors.Eeg2fmriError)}
    assert codes == {int(code) for code in re.findall(r"^\| (\d+) \|", read("docs/usage.md"), re.MULTILINE)}


# --- outputs.md -------------------------------------------------------------------------------------------------


def sidecar_keys(content: Any) -> set[str]:
    """Keys at every level, except where they are a recording's own names."""
    if not isinstance(content, dict):
        return set()
    own_names = {"ChannelsBad", "ChannelsLeftOut", "Metrics"}
    return set(content) | {
        inner for key, value in content.items() if key not in own_names for inner in sidecar_keys(value)
    }


@pytest.fixture
def facts(tmp_path: Path) -> sidecars.RunFacts:
    path = tmp_path / "sub-01" / "eeg" / "sub-01_task-rest_eeg.edf"
    file = RecordingFile(path, tmp_path, "raw", "01", "rest")
    spectrum = np.zeros((1, 2))
    recording = Recording(
        signals_v=np.zeros((1, 1000), np.float32),
        sfreq_hz=100.0,
        source_sfreq_hz=100.0,
        channel_names=("Cz",),
        positions_m=np.zeros((1, 3)),
        positions_source="file",
        good=np.ones(1, bool),
        left_out={},
        events=(),
        clock=VolumeClock(0.0, 2.0, 5, "assumed"),
        cleaning=Cleaning((), {}, (), None, np.zeros(2), spectrum, spectrum),
        reference="n/a",
        source=path,
    )
    grid = make_grid(OutputSpace(resolution="4"))
    model = ModelProvenance("neuralfield-sim", "1", "0" * 64, "neuralfield", ("simulated",), doi="10.0/0")
    hashes = RunHashes("input", model.sha256, "config")
    return sidecars.RunFacts(output_names(tmp_path / "out", file, grid), file, recording, grid, model, hashes)


def test_every_sidecar_key_stands_in_the_outputs(facts: sidecars.RunFacts) -> None:
    image = RealBold(Path("bold.nii.gz"), 2.0, 5, 0.0, np.eye(4), (1, 1, 1))
    scanner = ScannerBold(image, "bids:raw:bold.nii.gz", False, ())
    contents = [
        sidecars.bold_sidecar(facts, encoding=bold_encoding(), clipped=0, metrics={}),
        sidecars.boldref_sidecar(facts),
        sidecars.mask_sidecar(facts),
        sidecars.interpretable_sidecar(facts, EvaluatedCaps(64, ("46 to 90",), 20, False)),
        sidecars.correlation_sidecar(facts, scanner.metadata | {"VoxelsCompared": 1}),
        *(sidecars.uncertainty_sidecar(facts, part) for part in UNCERTAINTY_PARTS),
    ]
    keys = set().union(*(sidecar_keys(content) for content in contents))
    assert len(keys) > 40
    assert keys <= documented(read("docs/outputs.md"))


def test_every_output_of_a_recording_stands_in_the_outputs(facts: sidecars.RunFacts) -> None:
    names = facts.names
    images = [path for path in (*names.required, *names.with_reliability, names.correlation) if path.suffix != ".json"]
    general = [path.name.replace(names.stem, "E").replace(names.space_entities, "S") for path in images]
    assert {*general, "E_events.tsv"} <= documented(read("docs/outputs.md"))


def test_every_parcel_table_and_contrast_map_stands_in_the_outputs(facts: sidecars.RunFacts) -> None:
    named = documented(read("docs/outputs.md"))
    parcels = ParcelNames(facts.names, "P")
    for path in (parcels.mean, parcels.std, parcels.samples):
        assert path.name.replace(facts.names.stem, "E").replace(facts.names.space_entities, "S") in named
    contrast = ContrastNames(facts.names.output_dir, "age", "tstd", facts.names.space_entities)
    for path in (*map(contrast.image, ("effect", "z", "p", "zThresholded")), contrast.clusters, contrast.description):
        assert path.name.replace(contrast.stem, "G") in named
    assert {PARCELLATION, SAMPLES, SEED, EXPLAINED} <= named


def test_every_confound_stands_in_the_outputs() -> None:
    grid = make_grid(OutputSpace(resolution="4"))
    statistics = OnlineStatistics(grid, 90, n_carpet=10)
    statistics.update(*np.zeros((2, 90, len(grid.tissue)), np.float32))
    columns = [*confounds_table(statistics.finish(), tr_s=2.0), *drift_names(90, 2.0)]
    named = documented(read("docs/outputs.md"))
    bases = {re.sub(r"(_derivative1)?(_power2)?$", "", column) for column in columns if not column.startswith("cosine")}
    endings = {column.removeprefix("csf") for column in columns if column.startswith("csf_")}
    assert columns[-2] == "cosine00"
    assert bases | {f"...{ending}" for ending in endings} | {"cosine00"} <= named


def test_every_column_of_the_group_table_stands_in_the_outputs() -> None:
    assert {*column_names([]), *SCORES} <= documented(read("docs/outputs.md"))


# --- qc.md, method.md -------------------------------------------------------------------------------------------


def test_every_panel_stands_in_the_qc_guide_in_its_order() -> None:
    rows = re.findall(r"^\| (.+?) \(`(\w+)`\) \|", read("docs/qc.md"), re.MULTILINE)
    assert rows == [(panel.title, panel.panel_id) for panel in PANELS]


def test_the_method_states_the_numbers_of_the_code() -> None:
    method = read("docs/method.md")
    prose = " ".join(method.split())
    bands = re.search(r"^\| Hz \|(.+)\|$", method, re.MULTILINE)
    assert bands is not None
    assert [cell.strip() for cell in bands[1].split("|")] == [f"{low:g}-{high:g}" for low, high in BANDS_HZ]
    assert f"within {MEMORY_S:g} s" in prose
    assert f"the same {len(load_atlas())} grey-matter parcels" in prose


# --- all pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_resolve(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text("utf-8")):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        linked = (page.parent / target).resolve() if target else page
        assert linked.is_file(), target
        assert linked.is_relative_to(ROOT), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, anchor


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_are_understood(page: Path) -> None:
    for program, *arguments in commands(page):
        try:
            parse = phantom.parse if program == "bids-eeg2fmri-phantom" else build_parser().parse_args
            parse(arguments)
        except SystemExit as stop:
            assert stop.code == 0, arguments


def test_the_pages_have_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 15


def commands(page: Path) -> list[list[str]]:
    """Our programs and their arguments in the shell blocks of a page, directly or in a container."""
    found = []
    lines = "".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    for line in lines:
        if line.startswith(("bids-eeg2fmri", "docker run ", "apptainer run ")):
            filled = re.sub(r"\$\([^)]*\)|\$\w+", "1", line.replace("$image", "image.sif"))
            words = shlex.split(filled, comments=True)
            places = [place for place, word in enumerate(words) if PROGRAM.fullmatch(word)]
            found += [words[places[0] :]] if places else []
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_examples_are_python_and_find_what_they_import(page: Path) -> None:
    for block in blocks(page, "python"):
        tree = ast.parse(block, str(page))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), str(page), "exec"), {})  # noqa: S102


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):(?!=)", read("Makefile"), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"\bmake ([\w-]+)", "\n".join(code(page)))}
    assert {"demo", "test"} <= named <= targets


def test_scripts_exist() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"\bpython (-m )?((?:benchmarks|tools)[\w./]*\w)", text))
    assert len(named) > 5
    for as_module, script in named:
        path = ROOT / (script.replace(".", "/") if as_module else script)
        assert path.is_file() or path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), script


def code(page: Path) -> list[str]:
    return [*blocks(page, "bash"), *documented(page.read_text("utf-8"))]


# --- README -----------------------------------------------------------------------------------------------------


def test_the_first_screen_says_what_the_output_is_not() -> None:
    start = " ".join(read("README.md").split("\n## ")[0].split())
    assert len(start.split()) < 220
    for words in ("synthetic BOLD", "not a measurement", "simulations alone, never on people", "clinical decisions"):
        assert words in start


def test_the_two_commands_come_first() -> None:
    first = blocks(ROOT / "README.md", "bash")[0].splitlines()
    assert len(first) == 2
    assert first[0].startswith("git clone ")
    assert first[1] == "make demo"
