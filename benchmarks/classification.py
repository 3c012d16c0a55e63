"""Classification through the synthesised view: real people, and simulated ones with a planted difference.

    python benchmarks/classification.py --eegmat FOLDER --keep DIR
    python benchmarks/classification.py --planted 8 --keep DIR

The first form takes the files of https://physionet.org/content/eegmat/1.0.0/ as they were downloaded: rest against
mental arithmetic (within people; rests are three times as long, so once more with rests cut to the length of the
arithmetic), and good against bad counters (between people). The second form simulates four groups of people: `usual`
and `other` are drawn alike, `alpha` has a stronger alpha rhythm, and in `flat` the amplitude of the EEG hardly follows
the states behind BOLD; each is told from `usual`. Everything goes through the command, at 4 mm. What was made stays in
DIR, and is not made again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from groups.eegmat import wrap, wrap_cut
from groups.planted import GROUPS, simulate

from bids_eeg2fmri.cli import main as bids_eeg2fmri

_TABLE = "group_classification.tsv"


def main() -> None:
    """Make what is missing, classify, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--eegmat", type=Path, help="folder with the EDF files of eegmat and subject-info.csv")
    source.add_argument("--planted", type=int, metavar="N", help="simulated people per group")
    parser.add_argument("--duration-s", type=float, default=120.0, help="length of the simulated recordings")
    parser.add_argument("--keep", type=Path, required=True, help="folder for datasets, derivatives and tables")
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--nprocs", type=int, default=1)
    arguments = parser.parse_args()
    keep = arguments.keep.absolute()
    if arguments.eegmat:
        tables = _eegmat(arguments.eegmat, keep, arguments.nprocs, arguments.permutations)
    else:
        root = simulate(keep / "planted", arguments.planted, arguments.duration_s)
        tables = _planted(root, arguments.nprocs, arguments.permutations)
    for title, table in tables.items():
        print(f"\n### {title}\n\n{as_markdown(table)}")


def _eegmat(folder: Path, keep: Path, nprocs: int, permutations: int) -> dict[str, pd.DataFrame]:
    whole, cut = wrap(folder, keep / "eegmat"), wrap_cut(folder, keep / "eegmat_cut")
    for root in (whole, cut):
        _synthesise(root, nprocs)
    loso = ("--folds", "loso", "--permutations", permutations)
    return {
        "rest against arithmetic": _classify(whole, "task", "--classify-unit", "recording", *loso),
        "rest against arithmetic, of one length": _classify(cut, "task", "--classify-unit", "recording", *loso),
        "good against bad counters": _classify(whole, "counting", "--permutations", permutations),
        "good against bad counters, at rest": _classify(
            whole, "counting", "--permutations", permutations, "--task-id", "rest"
        ),
    }


def _planted(root: Path, nprocs: int, permutations: int) -> dict[str, pd.DataFrame]:
    _synthesise(root, nprocs)
    people = pd.read_csv(root / "participants.tsv", sep="\t")
    tables = {}
    for group in GROUPS[1:]:
        asked = people["participant_id"][people["group"].isin([GROUPS[0], group])]
        tables[f"{GROUPS[0]} against {group}"] = _classify(
            root, "group", "--permutations", permutations, "--participant-label", *asked
        )
    return tables


def _synthesise(root: Path, nprocs: int) -> None:
    given = ("--output-spaces", "MNI152NLin2009cAsym:res-4", "--nprocs", nprocs)
    _run(root, "participant", *given)


def _classify(root: Path, column: str, *options: object) -> pd.DataFrame:
    _run(root, "group", "--classify", column, *options)
    return pd.read_csv(_derivatives(root) / _TABLE, sep="\t")


def _run(root: Path, level: str, *options: object) -> None:
    words = [root, _derivatives(root), level, "--work-dir", root.parent / "work", *options]
    if code := bids_eeg2fmri([str(word) for word in words]):
        raise SystemExit(code)


def _derivatives(root: Path) -> Path:
    return root.with_name(f"{root.name}_derivatives")


def as_markdown(table: pd.DataFrame) -> str:
    """The scores that are read first."""
    lines = ["| classifier | features | accuracy | balanced accuracy | AUC | p of AUC |", "|---|---|---|---|---|---|"]
    for _, row in table.iterrows():
        p = f"{row['auc_p']:.3f} ({row['n_permutations']})" if pd.notna(row["auc_p"]) else ""
        cells = [row["classifier"], row["features"], f"{row['accuracy']:.2f}"]
        cells += [_with_interval(row, name) for name in ("balanced_accuracy", "auc")]
        lines.append(f"| {' | '.join(map(str, cells))} | {p} |")
    return "\n".join(lines)


def _with_interval(row: pd.Series, name: str) -> str:
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


if __name__ == "__main__":
    main()
