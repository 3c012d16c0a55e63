"""The command ``bids-eeg2fmri``: argv to settings to level. Imports nothing heavy."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from .bids.bids_name import is_text
from .config_file import read_config_file
from .errors import Eeg2fmriError, MissingInputError, UnknownLevelError, UsageError
from .levels.allocator import limit_arenas
from .levels.logs import start_console
from .levels.machine import prepare_environment
from .parser import LEVELS, build_parser
from .settings import RESOLUTIONS, SCHAEFER200, OutputSpace, Settings, settings_toml

_OPTIONS_OF_ONE_LEVEL = (
    ("participant", ("explain", "parcellation", "parcels_only", "n_samples", "embed_report", "executor")),
    ("group", ("classify", "contrast")),
    ("train", ("search",)),
)

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    SystemExit
        Code 2 for errors of the command line itself; 0 after ``--help`` and ``--version``.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        settings, notes = parse(arguments)
        start_console(settings.verbosity)
        for note in notes:
            logger.info(note)
        signal.signal(signal.SIGTERM, _terminate)
        return _run_level(settings, shlex.join(["bids-eeg2fmri", *arguments]))
    except Eeg2fmriError as error:
        _print_error(error)
        return error.exit_code
    except KeyboardInterrupt as interruption:
        print("bids-eeg2fmri: interrupted; finished recordings are kept, run again to go on.", file=sys.stderr)
        return 143 if isinstance(interruption, _Terminated) else 130
    except Exception as error:
        traceback.print_exc()
        print(f"bids-eeg2fmri: unexpected {type(error).__name__}; please report the lines above.", file=sys.stderr)
        return 1


class _Terminated(KeyboardInterrupt):
    """A scheduler or ``docker stop`` asks for the end."""


def _terminate(*_: object) -> None:
    # The first process of a container is not ended by a signal that it does not handle.
    raise _Terminated


def parse(arguments: Sequence[str]) -> tuple[Settings, tuple[str, ...]]:
    """Settings from the command line and the configuration file it names, and notes for the log.

    Raises
    ------
    UnknownLevelError
        The analysis level does not exist.
    SystemExit
        Code 2 and a message for every other error of the command line; 0 after help and version.
    """
    parser = build_parser()
    given = vars(parser.parse_args(arguments))
    if given["level"] not in LEVELS:
        raise UnknownLevelError(
            f"unknown analysis level {given['level']!r}.", remedy=f"Known levels: {', '.join(LEVELS)}."
        )
    try:
        if "config_file" in given:
            given = read_config_file(given["config_file"], parser) | given
        settings = _make_settings(given)
        _check_text(settings)
        _check_paths(settings)
        _check_filter_file(settings.bids_filter_file)
    except (UsageError, MissingInputError) as error:
        parser.error(str(error))
    notes = ("--fs-license-file is ignored: FreeSurfer is not used.",) if "fs_license_file" in given else ()
    return settings, notes + _without_effect(settings)


def _without_effect(settings: Settings) -> tuple[str, ...]:
    """What to say of options that another level, or executor, would have used."""
    usual = {item.name: item.default for item in fields(Settings)}
    idle = settings.dask_cluster != usual["dask_cluster"] and settings.executor != "dask"
    notes = ("--dask-cluster has no effect without --executor dask.",) if idle else ()
    return notes + tuple(
        f"--{name.replace('_', '-')} has no effect at the level {settings.level}; it belongs to {level}."
        for level, names in _OPTIONS_OF_ONE_LEVEL
        for name in names
        if level != settings.level and getattr(settings, name) != usual[name]
    )


def _run_level(settings: Settings, command: str) -> int:
    # Libraries read it when they are loaded, which the levels do.
    prepare_environment(settings)
    limit_arenas(os.environ)
    if settings.level == "group":
        from .levels.group import run_group

        return run_group(settings, command)
    if settings.level == "train":
        from .levels.train import run_train

        return run_train(settings, command)
    from .levels.participant import run_participant

    return run_participant(settings, command)


def _print_error(error: Eeg2fmriError) -> None:
    """What failed is the last line; details, such as a table, stand above it."""
    headline, _, details = error.problem.partition("\n")
    if details:
        print(details, file=sys.stderr)
    print(f"bids-eeg2fmri: error: {type(error)(headline, path=error.path, remedy=error.remedy)}", file=sys.stderr)


def _make_settings(given: dict[str, Any]) -> Settings:
    """Settings from the options given; the others keep the defaults of :class:`Settings`."""
    known = {item.name for item in fields(Settings)}
    values = {"work_dir": Path("work")} | {name: value for name, value in given.items() if name in known}
    values["derivatives"] = _named_datasets(given.get("derivatives", []))
    if "reference_image" in given:
        image = OutputSpace(resolution=None, reference_image=given["reference_image"].absolute())
        values["output_spaces"] = [*given.get("output_spaces", []), image]
    if given.get("sloppy"):
        values.setdefault("output_spaces", [OutputSpace(resolution=RESOLUTIONS[-1])])
    for name, value in values.items():
        if isinstance(value, Path):
            values[name] = value.absolute()
        elif isinstance(value, list):
            values[name] = tuple(dict.fromkeys(value))
    if values.get("parcellation", SCHAEFER200).lower() != SCHAEFER200:
        values["parcellation"] = str(Path(values["parcellation"]).absolute())
    return Settings(**values)


def _named_datasets(pairs: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    datasets: dict[str, Path] = {}
    for name, folder in pairs:
        if name in datasets or name == "raw":
            raise UsageError(f"two datasets are named {name!r}.", remedy="Name them: --derivatives one=DIR other=DIR.")
        datasets[name] = folder.absolute()
    return datasets


def _check_text(settings: Settings) -> None:
    """Refuse paths and names that no log or sidecar could hold."""
    for line in settings_toml(settings).splitlines():
        if not is_text(line):
            raise UsageError(f"this is not UTF-8 text: {line!a}.", remedy="Rename the file or folder.")


def _check_paths(settings: Settings) -> None:
    """Refuse paths that are missing, or that would let the output damage the input."""
    for option, folder in (("BIDS_DIR", settings.bids_dir), *_derivative_options(settings)):
        if not folder.is_dir():
            raise UsageError(f"{option} is not a folder.", path=folder, remedy="Check the path.")
    bids, output, work = (p.resolve() for p in (settings.bids_dir, settings.output_dir, settings.work_dir))
    if output == bids:
        raise UsageError("OUTPUT_DIR is the same as BIDS_DIR.", path=output, remedy="Give the output its own folder.")
    if output.is_relative_to(bids) and bids / "derivatives" not in output.parents:
        raise UsageError(
            "OUTPUT_DIR lies inside BIDS_DIR.",
            path=output,
            remedy=f"Give a folder outside, or one below {bids / 'derivatives'}.",
        )
    for option, folder in _derivative_options(settings):
        if output.is_relative_to(folder.resolve()) and folder.resolve() != bids / "derivatives":
            raise UsageError(f"OUTPUT_DIR lies inside the dataset given as {option}.", path=output)
    if work.is_relative_to(bids):
        raise UsageError(
            "the scratch folder lies inside BIDS_DIR.", path=work, remedy="Choose another folder with --work-dir."
        )
    database = settings.bids_database_dir
    if database is not None and not database.exists() and database.resolve().is_relative_to(bids):
        raise UsageError("a new database would be written into BIDS_DIR.", path=database)
    for space in settings.output_spaces:
        if space.reference_image is not None and not space.reference_image.is_file():
            raise UsageError("--reference-image does not exist.", path=space.reference_image)


def _derivative_options(settings: Settings) -> list[tuple[str, Path]]:
    return [(f"--derivatives {name}", folder) for name, folder in settings.derivatives.items()]


def _check_filter_file(path: Path | None) -> None:
    if path is not None:
        from .bids.filter_file import read_filter_file

        read_filter_file(path)
