"""Write what the converters found as a BIDS dataset."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import mne_bids
import nibabel as nib
from nibabel.filebasedimages import ImageFileError

from bids_eeg2fmri.derivatives.atomic import atomic_path, write_json
from bids_eeg2fmri.errors import BadDataError, MissingInputError


@dataclass(frozen=True)
class Run:
    """Entities of one simultaneous recording, without their prefixes; ``None`` where a name leaves them out."""

    subject: str
    task: str
    run: str | None = None
    session: str | None = None

    def path(self, root: Path, suffix: str, extension: str) -> mne_bids.BIDSPath:
        """A file of the run; ``suffix`` is ``"eeg"`` or ``"bold"``."""
        return mne_bids.BIDSPath(
            root=root,
            subject=self.subject,
            session=self.session,
            task=self.task,
            run=self.run,
            datatype="eeg" if suffix == "eeg" else "func",
            suffix=suffix,
            extension=extension,
            check=False,
        )


def write_description(root: Path, name: str, authors: Sequence[str], source_url: str, kind: str) -> None:
    """Write ``dataset_description.json`` of a converted dataset; ``kind``: ``"raw"`` or ``"derivative"``."""
    mne_bids.make_dataset_description(
        path=root,
        name=name,
        dataset_type=kind,
        authors=list(authors),
        generated_by=[{"Name": "bids-eeg2fmri, benchmarks.published", "Description": "converted from the download"}],
        source_datasets=[{"URL": source_url}],
        overwrite=True,
        verbose="error",
    )


def has_bold(root: Path, run: Run) -> bool:
    """Whether a run was converted to the end before: the sidecar of its BOLD is written last."""
    return run.path(root, "bold", ".json").fpath.exists()


def write_eeg(root: Path, run: Run, raw: mne.io.BaseRaw, sidecar: Mapping[str, Any]) -> None:
    """Write a recording as BrainVision with its markers, channels and sidecar.

    Parameters
    ----------
    root, run
        Where it goes.
    raw
        The recording; its samples are loaded. The measurement date, which would be published, is taken away.
    sidecar
        Entries of ``_eeg.json`` that the file does not hold.
    """
    raw.load_data(verbose="error")
    raw.set_meas_date(None)
    raw.info["line_freq"] = sidecar.get("PowerLineFrequency")
    target = run.path(root, "eeg", ".vhdr")
    mne_bids.write_raw_bids(raw, target, allow_preload=True, format="BrainVision", overwrite=True, verbose="error")
    mne_bids.update_sidecar_json(target.copy().update(extension=".json"), dict(sidecar), verbose="error")


def write_bold(root: Path, run: Run, image: Path, sidecar: Mapping[str, Any]) -> None:
    """Copy a 4-D image into the dataset, state its repetition time in the header, and describe it.

    Parameters
    ----------
    root, run, image
        Where it goes and comes from.
    sidecar
        Metadata with ``RepetitionTime``.

    Raises
    ------
    BadDataError
        It is no series of volumes, or its header states another repetition time.
    """
    n_volumes(image)
    _copy_image(image, run.path(root, "bold", _extension(image)).fpath, float(sidecar["RepetitionTime"]))
    write_json(run.path(root, "bold", ".json").fpath, {"TaskName": run.task, **sidecar})


def write_t1w(root: Path, subject: str, image: Path) -> None:
    """Copy an anatomical image into the dataset: fMRIPrep needs one."""
    _copy(image, root / f"sub-{subject}" / "anat" / f"sub-{subject}_T1w{_extension(image)}")


def n_volumes(image: Path) -> int:
    """Number of volumes of a BOLD image.

    Raises
    ------
    MissingInputError
        It is not there.
    BadDataError
        It cannot be read or is not four-dimensional.
    """
    require(image, "the BOLD image")
    try:
        shape = nib.load(image).shape
    except (ImageFileError, OSError, EOFError) as error:
        raise BadDataError("the image cannot be read.", path=image, remedy="Download it again.") from error
    if len(shape) != 4:
        raise BadDataError(
            f"an image of shape {shape} is no series of volumes.", path=image, remedy="Download it again."
        )
    return int(shape[3])


def require(path: Path, what: str) -> Path:
    """``path``, if there is a file with content.

    Raises
    ------
    MissingInputError
        There is none.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise MissingInputError(
            f"{what} is missing from the download.",
            path=path,
            remedy="Download it again, or leave the person out with --exclude.",
        )
    return path


def require_rate(sfreq_hz: float, expected_hz: float, path: Path) -> None:
    """Refuse a recording at another sampling rate than the published one.

    Raises
    ------
    BadDataError
        The rates differ.
    """
    if abs(sfreq_hz - expected_hz) > 1e-3 * expected_hz:
        raise BadDataError(
            f"the sampling rate is {sfreq_hz:g} Hz; that of the published recordings is {expected_hz:g} Hz.",
            path=path,
            remedy="Give the files as they are downloaded.",
        )


def _copy_image(source: Path, target: Path, tr_s: float) -> None:
    """Copy an image with its repetition time in the header, where validators and fMRIPrep look for it."""
    with _open(source, "rb") as stream:
        header = nib.Nifti1Header.from_fileobj(stream)
        stated = float(header["pixdim"][4])
        # Converters leave 0 or 1 where they do not know it.
        if stated not in (0.0, 1.0) and not any(abs(stated * unit - tr_s) < 1e-3 * tr_s for unit in (1.0, 1e-3, 1e-6)):
            raise BadDataError(
                f"the header states a repetition time of {stated:g}, the published one is {tr_s:g} s.",
                path=source,
                remedy="Give the files as they are downloaded.",
            )
        header["pixdim"][4] = tr_s
        header.set_xyzt_units("mm", "sec")
        with atomic_path(target) as temporary, _open(temporary, "wb") as copy:
            copy.write(header.binaryblock)
            stream.seek(len(header.binaryblock))
            shutil.copyfileobj(stream, copy)


def _open(path: Path, mode: str) -> Any:
    return gzip.open(path, mode, compresslevel=6) if path.name.endswith(".gz") else path.open(mode)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _extension(image: Path) -> str:
    return ".nii.gz" if image.name.endswith(".nii.gz") else ".nii"
