"""The command line's options. Imports nothing heavy, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import __version__
from .option_values import (
    derivative,
    folds,
    label,
    memory_bytes,
    number_above_zero,
    output_space,
    whole_number,
    whole_number_above_zero,
)
from .settings import RESOLUTIONS, SPACE

LEVELS = ("participant", "group", "train")

_DESCRIPTION = f"""\
Writes SYNTHETIC BOLD from EEG: fMRI-like images, predicted, not measured, with maps of how
uncertain they are. For research, not for clinical decisions.

The input is a BIDS dataset with EEG. The output is a BIDS derivatives dataset in {SPACE}
that nilearn, XCP-D, fitlins and giga_connectome read, and one HTML report per person.
Finished recordings are skipped when the same command is given again.

`train` reads simultaneous EEG-fMRI instead; its output is a model for --model, with its scores.
"""

_EPILOG = """\
Every --option-name may also be written --option_name; a switch set in the configuration file is
undone with --no-OPTION-NAME. Give the three positional arguments first.

examples:
  Everyone, with the defaults:
    bids-eeg2fmri /data/bids /data/out participant
  What would be done, without doing it:
    bids-eeg2fmri /data/bids /data/out participant --dry-run
  Two people, one task, images of 3 mm, four recordings at a time:
    bids-eeg2fmri /data/bids /data/out participant --participant-label 01 02 \\
        --task-id rest --output-spaces MNI152NLin2009cAsym:res-3 --nprocs 4
  EEG recorded in the scanner and cleaned elsewhere:
    bids-eeg2fmri /data/bids /data/out participant --derivatives clean=/data/cleaned
  Then one table and one report of all people:
    bids-eeg2fmri /data/bids /data/out group
  A model of one's own, from EEG recorded in the scanner and what fMRIPrep made of the BOLD:
    bids-eeg2fmri /data/bids /data/model train --derivatives fmriprep=/data/fmriprep --folds loso
    bids-eeg2fmri /data/bids /data/out participant --model /data/model

exit codes:
  0 done; 2 command line; 16 input is not BIDS; 17 unknown level; 18 nothing selected;
  64 options that do not fit; 65 bad data; 66 input missing; 73 output cannot be made;
  74 writing failed; 75 try again; 1 several different failures, or an unexpected one.
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Shows each option once, without its twin spellings and its ``--no-`` form."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        shown = [name for name in action.option_strings if "_" not in name and not name.startswith("--no-")]
        values = "" if action.nargs == 0 else " " + self._format_args(action, action.dest.upper())
        return ", ".join(shown) + values


class OptionGroup:
    """A titled group of options, each registered with dashes and with underscores.

    No option has a default here: what the command line does not say is looked up in the
    configuration file, then in :class:`~bids_eeg2fmri.settings.Settings`.
    """

    def __init__(self, parser: argparse.ArgumentParser, title: str) -> None:
        self._group = parser.add_argument_group(title)

    def value(self, *names: str, help: str, **how: Any) -> None:
        """Add an option that takes a value."""
        self._group.add_argument(*_twins(names), default=argparse.SUPPRESS, help=help, **how)

    def values(self, *names: str, help: str, **how: Any) -> None:
        """Add an option that takes one or more values and may be repeated."""
        self.value(*names, nargs="+", action="extend", help=help, **how)

    def switch(self, *names: str, help: str) -> None:
        """Add an option that is on or off."""
        self.value(*names, action=argparse.BooleanOptionalAction, help=help)


def _twins(names: tuple[str, ...]) -> list[str]:
    spelled = [spelling for name in names for spelling in (name, _underscored(name))]
    return list(dict.fromkeys(spelled))


def _underscored(name: str) -> str:
    dashes = len(name) - len(name.lstrip("-"))
    return name[:dashes] + name[dashes:].replace("-", "_")


def build_parser() -> argparse.ArgumentParser:
    """The parser; values given end in the namespace under the names of ``Settings``' fields."""
    parser = argparse.ArgumentParser(
        prog="bids-eeg2fmri",
        usage="bids-eeg2fmri BIDS_DIR OUTPUT_DIR {participant,group,train} [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("bids_dir", metavar="BIDS_DIR", type=Path, help="the input: root of a BIDS dataset with EEG")
    parser.add_argument("output_dir", metavar="OUTPUT_DIR", type=Path, help="the output: a folder of its own")
    parser.add_argument(
        "level",
        metavar="LEVEL",
        help="participant: EEG to synthetic BOLD, recording by recording; group: tables and report of all people; "
        "train: a model from simultaneous EEG and BOLD, cross-validated",
    )
    parser.add_argument("--version", action="version", version=f"bids_eeg2fmri v{__version__}")
    _add_selection(OptionGroup(parser, "which recordings"))
    _add_eeg(OptionGroup(parser, "reading EEG"))
    _add_synthesis(OptionGroup(parser, "model and output"))
    _add_extras(OptionGroup(parser, "beside the images"))
    _add_group(OptionGroup(parser, "comparing people (level group)"))
    _add_training(OptionGroup(parser, "training (level train)"))
    _add_resources(OptionGroup(parser, "resources"))
    _add_running(OptionGroup(parser, "running"))
    _add_accepted(OptionGroup(parser, "accepted for shared job scripts, without effect"))
    return parser


def _add_selection(group: OptionGroup) -> None:
    group.values(
        "--participant-label",
        "--participant-labels",
        type=label("sub"),
        metavar="LABEL",
        help="people to work on, with or without 'sub-' (default: all)",
    )
    group.values("--exclude-participant-label", type=label("sub"), metavar="LABEL", help="people to leave out")
    group.values(
        "--session-label",
        "--session-id",
        type=label("ses"),
        metavar="LABEL",
        help="sessions to work on, with or without 'ses-' (default: all)",
    )
    group.values("-t", "--task-id", type=label("task"), metavar="LABEL", help="tasks to work on (default: all)")
    group.values("--run-id", type=label("run"), metavar="INDEX", help="runs to work on; 1 also means 01 (default: all)")
    group.value(
        "--bids-filter-file",
        type=Path,
        metavar="FILE",
        help='JSON with "eeg" and "bold" queries, such as {"eeg": {"task": ["rest"], "acquisition": null}}; '
        'null: entity absent, "*": any value',
    )
    group.value(
        "--bids-database-dir",
        type=Path,
        metavar="DIR",
        help="look recordings up in this pybids database (made when missing); rarely useful: no index is needed",
    )
    group.values(
        "-d",
        "--derivatives",
        "--datasets",
        type=derivative,
        metavar="[NAME=]DIR",
        help="datasets of cleaned EEG (proc-clean, desc-clean, desc-preproc, or named like the raw files), which "
        "replaces the raw one, and of fMRIPrep: BOLD to train on or to score against, anatomy to link",
    )
    group.switch(
        "--skip-bids-validation",
        "--skip-bids-validator",
        help="do not check that the input is a BIDS dataset",
    )


def _add_eeg(group: OptionGroup) -> None:
    group.value(
        "--tr",
        dest="tr_s",
        type=number_above_zero,
        metavar="SECONDS",
        help="repetition time when the EEG has no volume markers (default: 2)",
    )
    group.value(
        "--volume-marker",
        metavar="TEXT",
        help="description of the marker of each fMRI volume, such as R128; none ignores all markers",
    )
    group.value(
        "--montage",
        metavar="NAME",
        help="standard montage (an MNE name) to use instead of any electrode positions in the dataset",
    )
    group.switch("--allow-gradient-artefact", help="go on with EEG that still holds the scanner's gradient artefact")


def _add_synthesis(group: OptionGroup) -> None:
    group.value("--model", metavar="NAME|DIR", help="bundled model or folder of a model (default: neuralfield-sim)")
    group.values(
        "--output-spaces",
        type=output_space,
        metavar="SPACE[:res-R]",
        help=f"output grids: {SPACE}:res-{{{','.join(RESOLUTIONS)}}}, R in mm (default: res-2)",
    )
    group.value("--reference-image", type=Path, metavar="FILE", help=f"write on the grid of this image in {SPACE}")
    group.switch("--float32", help="write float32 images, larger than the default scaled int16")
    group.value(
        "--random-seed",
        "--seed",
        type=whole_number,
        metavar="N",
        help="decides what is drawn: people, weights and batches in training, --n-samples, folds and permutations of "
        "--classify (default: 0)",
    )
    group.switch("--sloppy", help="for tests: 4 mm output unless --output-spaces is given")


def _add_extras(group: OptionGroup) -> None:
    group.value(
        "--explain",
        nargs="*",
        action="extend",
        metavar="REGION",
        help="which electrodes, frequencies and seconds before a volume the prediction rests on, for these regions "
        "(networks or parcels of the bundled atlas; default: the networks), and the electrode graph of the published "
        "network",
    )
    group.value(
        "--parcellation",
        metavar="NAME|FILE",
        help=f"parcel series with their sd, in OUTPUT_DIR/parcels: schaefer200, or an image of labels in {SPACE} (with "
        "a table of the same name, .tsv, for the names)",
    )
    group.switch("--parcels-only", help="parcel series and reports, no images (parcels: schaefer200 by default)")
    group.value(
        "--n-samples",
        type=whole_number,
        metavar="N",
        help="draws from the predictive distribution of the parcel series, to carry its uncertainty on (default: 0)",
    )
    group.switch("--embed-report", help="one HTML file per person with all figures inside, to be sent by itself")
    group.switch(
        "--template-anat",
        help="write the template as a stand-in for each person's anatomy, for tools that insist on one (XCP-D); "
        "real anatomy is linked from --derivatives fmriprep=DIR",
    )


def _add_group(group: OptionGroup) -> None:
    group.value(
        "--classify",
        metavar="COLUMN",
        help="classify by this column of participants.tsv, scans.tsv or events.tsv, cross-validated over people, "
        "beside band power of the EEG and the majority",
    )
    group.value(
        "--classify-unit",
        choices=("participant", "recording", "event"),
        help="what is classified (default: participant)",
    )
    group.value(
        "--permutations",
        type=whole_number_above_zero,
        metavar="N",
        help="permutations of the labels for the p-value of --classify (default: 1000)",
    )
    group.value(
        "--contrast",
        metavar="COLUMN",
        help="second-level model of people's maps over this column of participants.tsv: groups or a number",
    )
    group.value(
        "--contrast-weights",
        choices=("uncertainty", "none"),
        help="whether people weigh by how certain their maps are (default: uncertainty)",
    )


def _add_training(group: OptionGroup) -> None:
    group.value(
        "--network",
        choices=("neuralfield", "calhas2022"),
        help="neuralfield: any montage and any grid; calhas2022: the published network, on the dataset's own cap "
        "(default: neuralfield)",
    )
    group.value(
        "--from",
        dest="from_model",
        metavar="NAME|DIR",
        help="begin with this model instead of from nothing: for few people (neuralfield only)",
    )
    group.value(
        "--network-config",
        type=Path,
        metavar="FILE",
        help="JSON with hyper-parameters of the network that replace its defaults",
    )
    group.value(
        "--folds",
        type=folds,
        metavar="K|loso",
        help="cross-validation over people: K parts, or leave one out (default: 5); also of --classify",
    )
    group.values(
        "--test-participants",
        type=label("sub"),
        metavar="LABEL",
        help="people to score the model on, instead of folds; training never sees them",
    )
    group.values(
        "--validation-participants",
        type=label("sub"),
        metavar="LABEL",
        help="people for early stopping and calibration (default: a fifth, drawn)",
    )
    group.values(
        "--confounds",
        metavar="COLUMN",
        help="columns of fMRIPrep's confounds table to regress out of the BOLD (default: none)",
    )
    group.value(
        "--epochs",
        type=whole_number_above_zero,
        metavar="N",
        help="most passes over the data, calhas2022 only (default: 10)",
    )
    group.value(
        "--batch-size",
        type=whole_number_above_zero,
        metavar="N",
        help="volumes per step, calhas2022 only (default: 4)",
    )
    group.value(
        "--learning-rate",
        type=number_above_zero,
        metavar="RATE",
        help="peak of the schedule, calhas2022 only (default: 0.00298)",
    )
    group.value(
        "--search",
        type=whole_number_above_zero,
        metavar="N",
        help="first try N generated architectures of calhas2022 with hyper-parameters, and train the best",
    )


def _add_resources(group: OptionGroup) -> None:
    group.value(
        "--device",
        choices=("auto", "cpu", "gpu"),
        help="where the network runs (default: auto); gpu without one is an error",
    )
    group.value(
        "--nprocs",
        "--nthreads",
        "--n-cpus",
        "--n-procs",
        "-n-cpus",
        type=whole_number_above_zero,
        metavar="N",
        help="recordings worked on at the same time, each in its own process (default: 1)",
    )
    group.value(
        "--executor",
        choices=("processes", "dask"),
        help="who runs several recordings: processes of this command, or workers of dask (default: processes)",
    )
    group.value(
        "--dask-cluster",
        metavar="local|slurm|...|ADDRESS|FILE",
        help="with --executor dask: --nprocs workers on this machine (local), or as jobs of a batch system as dask's "
        "jobqueue.yaml describes it (slurm, pbs, sge, lsf, ...), or a running scheduler, by address or scheduler file "
        "(default: local)",
    )
    group.value(
        "--omp-nthreads",
        type=whole_number_above_zero,
        metavar="N",
        help="threads of each process (default: the CPUs of this job divided by --nprocs)",
    )
    group.value(
        "--mem",
        "--mem-mb",
        "--mem-gb",
        dest="mem_bytes",
        type=memory_bytes,
        metavar="SIZE",
        help="memory of the job, with its unit (16G, 4.5GB, 16000M), shared out among its processes; with a "
        "--dask-cluster other than local, memory of each worker. A recording that would take more than its share is "
        "predicted in smaller blocks, or refused",
    )
    group.switch(
        "--low-mem",
        help="render 16 volumes at once instead of 64: less memory, more time; values may differ by one step of the "
        "stored integers",
    )
    group.value("-w", "--work-dir", type=Path, metavar="DIR", help="scratch folder, not in the input (default: ./work)")
    group.switch("--clean-workdir", help="empty our part of the scratch folder first")


def _add_running(group: OptionGroup) -> None:
    group.value("--config-file", type=Path, metavar="FILE", help="TOML with options; the command line wins")
    group.switch("--dry-run", help="list recordings, outputs and resources, write nothing")
    group.switch("--overwrite", help="redo recordings that are already done")
    group.switch("--reports-only", help="only write the reports of what is already done")
    group.switch("--boilerplate-only", help="only write the methods text, logs/CITATION.md")
    group.switch("--stop-on-first-crash", help="start no further recording after a failure")
    group.switch("--debug", help="tracebacks of expected failures too")
    group.value("-v", "--verbose", dest="verbosity", action="count", help="more messages; -vv for the libraries' too")


def _add_accepted(group: OptionGroup) -> None:
    group.value("--output-layout", choices=("bids",), help="bids, the only layout")
    group.switch("--md-only-boilerplate", help="the methods text is always Markdown only")
    group.switch("--notrack", help="nothing is ever tracked")
    group.value("--fs-license-file", type=Path, metavar="FILE", help="FreeSurfer is not used")
