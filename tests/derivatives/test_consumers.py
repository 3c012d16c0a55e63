"""The written dataset by the rules of those who will read it; nilearn itself runs in ``tests/end_to_end``.

What giga_connectome, XCP-D and fitlins look for is asked of pybids, as they ask it; the queries follow
``giga_connectome/utils.py``, ``xcp_d/data/io_spec.yaml``, ``xcp_d/utils/bids.py`` and ``fitlins/interfaces/bids.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from bids import BIDSLayout
from bids.layout import Query
from bids.modeling import BIDSStatsModelsGraph
from nilearn.interfaces.fmriprep import load_confounds_strategy
from nilearn.maskers import NiftiLabelsMasker

from bids_eeg2fmri.bids.anatomy_files import find_anatomy
from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.derivatives.anatomy import link_anatomy, write_stand_in

SPACE = "MNI152NLin2009cAsym"
ANATOMY = {
    "t1w": {"desc": "preproc", "suffix": "T1w", "extension": ".nii.gz", "space": None},
    "anat_brainmask": {"desc": "brain", "suffix": "mask", "extension": ".nii.gz", "space": SPACE},
    "anat_to_template_xfm": {"suffix": "xfm", "from": ["T1w", "T2w"], "to": SPACE},
    "template_to_anat_xfm": {"suffix": "xfm", "from": SPACE, "to": ["T1w", "T2w"]},
}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def out(written) -> Path:
    return written[0].names.output_dir


@pytest.fixture(scope="module")
def bolds(out: Path) -> list[Path]:
    found = sorted(out.glob("sub-*/ses-*/func/*_desc-preproc_bold.nii.gz"))
    assert len(found) == 8
    return found


def test_nilearn_averages_the_bundled_parcels(bolds: list[Path], written):
    atlas = load_atlas()
    image = nib.Nifti1Image(atlas.labels.astype(np.int16), atlas.affine)
    masker = NiftiLabelsMasker(image, resampling_target="data", keep_masked_labels=True, standardize=None)
    series = masker.fit_transform(str(bolds[0]))
    assert series.shape == (90, 214)
    run = written[0]
    own = 1000 + 10 * (atlas.averaging_matrix(run.facts.grid.coordinates_mm) @ run.mean_z.T).T
    inside = np.ptp(series, axis=0) < 200  # parcels that reach beyond the mask average in zeros
    correlation = [np.corrcoef(series[:, parcel], own[:, parcel])[0, 1] for parcel in np.flatnonzero(inside)]
    assert np.median(correlation) > 0.99


def entities(path: Path) -> dict[str, str]:
    return dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)


def sidecar_of(image: Path) -> dict:
    return json.loads(Path(str(image).replace(".nii.gz", ".json")).read_text())


@pytest.fixture(scope="module")
def layout(out: Path) -> BIDSLayout:
    return BIDSLayout(out, validate=False, config=["bids", "derivatives"])


# --- giga_connectome --------------------------------------------------------------------------------------------


def test_giga_connectome_finds_one_image_and_one_mask_of_every_run(layout: BIDSLayout, bolds: list[Path]) -> None:
    query = {
        "subject": ["01"],
        "session": Query.OPTIONAL,
        "space": SPACE,
        "task": Query.ANY,
        "run": Query.OPTIONAL,
        "extension": ".nii.gz",
        "datatype": "func",
    }
    images = layout.get(**query, desc="preproc", suffix="bold")
    # It asks for every mask, whatever its desc, and averages them.
    masks = layout.get(**query, suffix="mask", return_type="file")
    assert sorted(image.path for image in images) == sorted(map(str, bolds))
    assert sorted(masks) == sorted(str(bold).replace("desc-preproc_bold", "desc-brain_mask") for bold in bolds)
    assert {image.entities["RepetitionTime"] for image in images} == {2.0}


@pytest.mark.parametrize("global_signal", [{}, {"global_signal": "basic"}], ids=["", "gsr"])
@pytest.mark.parametrize(
    "strategy", [{"denoise_strategy": "simple"}, {"denoise_strategy": "scrubbing", "fd_threshold": 0.5}]
)
def test_giga_connectomes_strategies_leave_more_volumes_than_columns(
    bolds: list[Path], strategy: dict, global_signal: dict
) -> None:
    confounds, kept = load_confounds_strategy(str(bolds[0]), **strategy, **global_signal)
    volumes = len(confounds) if kept is None else len(kept)
    assert volumes > confounds.shape[1]  # with fewer it skips the run without a word
    assert not confounds.isna().any(axis=None)


def test_giga_connectome_computes_mean_framewise_displacement(bolds: list[Path]) -> None:
    for bold in bolds:
        confounds = pd.read_csv(re.sub(r"_space-.*", "_desc-confounds_timeseries.tsv", str(bold)), sep="\t")
        assert confounds["framewise_displacement"].mean() == 0


# --- XCP-D ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["of fMRIPrep", "of fMRIPrep, by session", "template"])
def anatomy(request: pytest.FixtureRequest, make_fmriprep: Callable[..., Path], tmp_path: Path) -> BIDSLayout:
    """A dataset with nothing but anatomy."""
    out, fmriprep = tmp_path / "out", tmp_path / "fmriprep"
    if request.param == "template":
        write_stand_in(out, "01")
    else:
        make_fmriprep(fmriprep, session="1" if "session" in request.param else None, resolution="2")
        found = find_anatomy({"fmriprep": fmriprep}, "01")
        assert found is not None
        link_anatomy(out, "01", found)
    (out / "dataset_description.json").write_text('{"Name": "out", "BIDSVersion": "1.10.0"}')
    return BIDSLayout(out, validate=False, config=["bids", "derivatives"])


def test_xcp_d_finds_exactly_one_file_for_each_of_its_needs(anatomy: BIDSLayout) -> None:
    found = {
        need: anatomy.get(return_type="file", subject="01", datatype="anat", **query) for need, query in ANATOMY.items()
    }
    assert {need: len(files) for need, files in found.items()} == dict.fromkeys(ANATOMY, 1)
    assert all(Path(file).is_file() for files in found.values() for file in files)
    assert all(Path(found[need][0]).suffix in (".h5", ".txt") for need in ANATOMY if need.endswith("xfm"))
    # Of several anatomies per person it would look for that of the session.
    assert anatomy.get_sessions(datatype="anat") == []
    # With a T2w beside the T1w it may go on without the T1w.
    assert anatomy.get(suffix="T2w") == []


def test_xcp_d_finds_anatomy_beside_the_runs(layout: BIDSLayout) -> None:
    for query in ANATOMY.values():
        assert len(layout.get(return_type="file", subject="01", datatype="anat", **query)) == 1


def test_xcp_d_finds_what_belongs_to_a_run(layout: BIDSLayout, bolds: list[Path]) -> None:
    bold = {"datatype": "func", "desc": ["preproc", None], "suffix": "bold", "extension": ".nii.gz", "space": SPACE}
    assert sorted(layout.get(return_type="file", **bold)) == sorted(map(str, bolds))
    images = [".nii", ".nii.gz"]
    for path in bolds:
        of_the_run = {"strict": True, "ignore_strict_entities": ["desc", "suffix"], "extension": images}
        stem = str(path).removesuffix("_desc-preproc_bold.nii.gz")
        assert layout.get_nearest(str(path), suffix="boldref", **of_the_run) == f"{stem}_boldref.nii.gz"
        mask = layout.get_nearest(str(path), suffix="mask", desc="brain", **of_the_run)
        assert mask == f"{stem}_desc-brain_mask.nii.gz"
        confounds = layout.get_nearest(
            str(path),
            strict=True,
            ignore_strict_entities=["space", "res", "den", "desc", "suffix", "extension"],
            desc="confounds",
            suffix="timeseries",
            extension=".tsv",
        )
        assert confounds == re.sub("_space-.*", "_desc-confounds_timeseries.tsv", stem)
        assert layout.get_nearest(confounds, extension=".json") == confounds.replace(".tsv", ".json")


def test_xcp_d_reads_motion_and_one_repetition_time(bolds: list[Path], out: Path) -> None:
    assert json.loads((out / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    for bold in bolds:
        table = pd.read_csv(re.sub(r"_space-.*", "_desc-confounds_timeseries.tsv", str(bold)), sep="\t")
        motion = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
        assert {*motion, "rmsd"} <= set(table)
        assert not table[motion].isna().any(axis=None)
        header = nib.load(bold).header
        assert header.get_zooms()[3] == pytest.approx(sidecar_of(bold)["RepetitionTime"])
        assert header.get_xyzt_units() == ("mm", "sec")


# --- fitlins ----------------------------------------------------------------------------------------------------


def test_fitlins_finds_one_image_of_every_run(out: Path, layout: BIDSLayout, bolds: list[Path]) -> None:
    description = json.loads((out / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion"} <= set(description)
    assert description["GeneratedBy"][0]["Name"] == "bids_eeg2fmri"
    assert len({tuple(sorted(entities(bold).items())) for bold in bolds}) == len(bolds)
    assert len(list(out.rglob("*_bold.nii.gz"))) == len(bolds)
    for bold in bolds:
        same = layout.parse_file_entities(str(bold)) | {"suffix": "mask", "desc": "brain", "extension": ".nii.gz"}
        (mask,) = layout.get(**same)
        assert set(np.unique(np.asarray(nib.load(mask.path).dataobj))) == {0, 1}


def test_fitlins_takes_no_other_table_for_regressors(out: Path, bolds: list[Path]) -> None:
    series = [*out.rglob("*_timeseries.tsv"), *out.rglob("*_regressors.tsv")]
    assert len(series) == len(bolds)
    assert not [path for kind in ("physio", "stim") for path in out.rglob(f"*_{kind}.tsv*")]


def test_fitlins_builds_a_design_from_events_and_confounds(out: Path) -> None:
    """By the model of the docs, with another task and event."""
    page = (Path(__file__).parents[2] / "docs" / "neighbours.md").read_text("utf-8")
    (text,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    model = json.loads(text.replace('"blocks"', '"faces"').replace("trial_type.stimulus", "trial_type.A"))
    graph = BIDSStatsModelsGraph(BIDSLayout(out.parent / "raw", derivatives=[out], validate=False), model)
    graph.load_collections(space=SPACE, desc="preproc")
    designs = graph.root_node.run(group_by=graph.root_node.group_by)
    assert len(designs) == 4
    for design in designs:
        assert design.X.shape == (90, 3)
        assert set(design.metadata["RepetitionTime"]) == {2.0}
        assert design.X["trial_type.A"].std() > 0
