"""The recipes of the containers, as far as they can be checked without building them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bids_eeg2fmri import __version__
from bids_eeg2fmri.derivatives.dataset import dataset_description
from bids_eeg2fmri.derivatives.provenance import ModelProvenance
from bids_eeg2fmri.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
DEFINITION = (ROOT / "singularity" / "bids_eeg2fmri.def").read_text("utf-8")
PROGRAM = "/opt/bids_eeg2fmri/bin/bids-eeg2fmri"


def hadolint() -> str | None:
    return shutil.which("hadolint", path=f"{Path(sys.executable).parent}") or shutil.which("hadolint")


def stages() -> list[str]:
    """The Dockerfile's stages, each as logical lines."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    return re.split(r"^FROM ", re.sub(r"\\\n\s*", "", text), flags=re.MULTILINE)[1:]


def pins(lock: str) -> set[str]:
    """Every ``name==version ; marker`` of a lock."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8")
    return {line.removesuffix("\\").strip() for line in re.findall(r"^\w.*", text, re.MULTILINE)}


def instructions(stage: str, name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", stage, re.MULTILINE)


def environment() -> dict[str, str]:
    pairs = [pair.split("=", 1) for line in instructions(stages()[-1], "ENV") for pair in line.split()]
    return {name: value.replace("${VERSION}", __version__).replace("${VARIANT}", "cpu") for name, value in pairs}


def sections() -> dict[str, str]:
    parts = re.split(r"^%(\w+)[ ]*\n", DEFINITION, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What ``dataset_description.json`` says of the container, given environment variables."""

    def of(variables: dict[str, str]) -> dict[str, str]:
        for name in ("BIDS_EEG2FMRI_DOCKER_TAG", "BIDS_EEG2FMRI_SINGULARITY_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            if name.startswith("BIDS_EEG2FMRI_"):
                monkeypatch.setenv(name, value)
        model = ModelProvenance("neuralfield-sim", "1", "0" * 64, "neuralfield", ("simulated",))
        return dataset_description(tmp_path / "out", tmp_path, {}, model)["GeneratedBy"][0]["Container"]

    return of


# --- Dockerfile -------------------------------------------------------------------------------------------------


def test_hadolint_finds_nothing() -> None:
    linter = hadolint()
    assert linter is not None, "the test extra installs hadolint"
    done = subprocess.run(
        [linter, "--no-color", "--failure-threshold", "style", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_final_stage_takes_only_the_built_environment() -> None:
    builder, final = stages()
    assert "AS builder" in builder.splitlines()[0]
    assert instructions(final, "COPY") == ["--from=builder /opt/bids_eeg2fmri /opt/bids_eeg2fmri"]
    assert not instructions(final, "RUN")


def test_the_base_image_is_one_pinned_tag_of_a_supported_python() -> None:
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=\S+/python:3\.(\d+)-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert int(image) >= 11
    assert [stage.split()[0] for stage in stages()] == ["${PYTHON_IMAGE}"] * 2


def test_everything_is_installed_by_hash() -> None:
    tools, dependencies, package = instructions(stages()[0], "RUN")
    assert tools == "pip install --no-cache-dir --require-hashes -r requirements/build.lock"
    assert dependencies.endswith('&& uv pip install --require-hashes -r "${lock}"')
    assert "hatchling build -t wheel" in package
    assert "uv pip install --no-deps dist/*.whl" in package


def test_each_variant_has_its_lock() -> None:
    locks = dict(re.findall(r"(\w+)\) lock=requirements/(\w+)\.lock", DOCKERFILE))
    assert locks == {"cpu": "run", "cuda12": "cuda12"}
    assert set(re.findall(r"VARIANT=(cuda\w+)", DOCKERFILE)) == {"cuda12"}


def test_the_cuda_lock_adds_only_the_gpu_to_what_was_tested() -> None:
    tested, cuda = pins("run"), pins("cuda12")
    assert tested <= cuda
    added = {pin.partition("==")[0] for pin in cuda - tested}
    assert {"jax-cuda12-plugin", "jax-cuda12-pjrt", "nvidia-cudnn-cu12"} <= added
    assert all(re.fullmatch(r"jax-cuda12-\w+|nvidia-[\w-]+-cu12", name) for name in added)


def test_jax_and_its_plugin_are_of_one_version() -> None:
    versions = {
        name: {pin.partition("==")[2] for pin in pins("cuda12") if pin.startswith(f"{name}==")}
        for name in ("jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt")
    }
    assert versions["jaxlib"]
    assert len({frozenset(found) for found in versions.values()}) == 1


@pytest.mark.parametrize("lock", ["build", "run", "cuda12", "test"])
def test_every_pin_has_its_hash(lock: str) -> None:
    entries = re.split(r"^(?=\S)", (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(entries) > 5
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)


def test_the_build_context_holds_what_is_copied() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = {source for line in instructions(stages()[0], "COPY") for source in line.split()[:-1]}
    assert copied == allowed
    for source in copied:
        assert (ROOT / source).exists()


def test_the_image_runs_as_an_ordinary_user_in_exec_form() -> None:
    final = stages()[-1]
    (user,) = instructions(final, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert instructions(final, "ENTRYPOINT") == [f'["{PROGRAM}"]']


def test_nothing_but_tmp_needs_to_be_writable() -> None:
    variables = environment()
    for name in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "_MNE_FAKE_HOME_DIR"):
        assert Path("/tmp") in (Path(variables[name]), *Path(variables[name]).parents)  # noqa: S108
    assert instructions(stages()[-1], "WORKDIR") == ["/tmp"]  # noqa: S108
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_apptainer_keeps_to_folders_of_its_user() -> None:
    exports = dict(re.findall(r"export (\w+)=(\S+.*)$", sections()["environment"], re.MULTILINE))
    assert "$(id -u)" in exports["XDG_CACHE_HOME"]
    for name in ("MPLCONFIGDIR", "_MNE_FAKE_HOME_DIR"):
        assert exports[name].startswith("${XDG_CACHE_HOME}")


def test_libraries_obey_the_image_without_a_home() -> None:
    """Matplotlib and MNE look where the image's variables point, with no home of their own."""
    script = (
        "import matplotlib, mne.utils.config as config;"
        "print(matplotlib.get_configdir()); print(config.get_config_path())"
    )
    variables = {name: environment()[name] for name in ("HOME", "MPLCONFIGDIR", "_MNE_FAKE_HOME_DIR")}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["/tmp/mpl", "/tmp/.mne/mne-python.json"]  # noqa: S108


def test_the_image_tells_its_name_and_version(container) -> None:
    assert instructions(stages()[-1], "ARG")[-1] == f"VERSION={__version__}"
    assert container(environment()) == {"Type": "docker", "Tag": f"bids_eeg2fmri:{__version__}-cpu"}
    (labels,) = instructions(stages()[-1], "LABEL")
    for label in ("title", "description", "version", "licenses", "base.name"):
        assert f"org.opencontainers.image.{label}=" in labels


# --- Apptainer --------------------------------------------------------------------------------------------------


def test_the_definition_starts_from_the_image_that_the_readme_builds() -> None:
    header = dict(re.findall(r"^(\w+): (\S+)$", DEFINITION.split("%")[0], re.MULTILINE))
    (name,) = set(re.findall(r"^docker build -t (\S+) \.$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE))
    assert header == {"Bootstrap": "docker-daemon", "From": f"{name}:latest"}


def test_the_definition_has_its_sections() -> None:
    found = sections()
    assert set(found) == {"labels", "help", "environment", "runscript", "test"}
    assert found["runscript"].strip() == f'exec {PROGRAM} "$@"'
    assert found["test"].strip() == f"{PROGRAM} --version"
    assert f"Version {__version__}" in found["labels"]
    assert "clinical" in found["help"]


def test_the_command_in_the_help_is_understood() -> None:
    command = sections()["help"].replace("\\\n", " ")
    (arguments,) = re.findall(r"bids_eeg2fmri\.sif (/.+)$", command, re.MULTILINE)
    assert build_parser().parse_args(arguments.split()).level == "participant"


def test_the_definition_tells_that_it_is_apptainer(container) -> None:
    variables = environment()
    for line in sections()["environment"].splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "export":
            name, _, value = rest.partition("=")
            variables[name] = value
    assert container(variables) == {"Type": "singularity", "URI": "docker-daemon:bids_eeg2fmri:latest"}
