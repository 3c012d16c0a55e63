"""What every score means; the one place where scores are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ScoreDefinition:
    """A score of one forecast of one recording.

    Attributes
    ----------
    label
        Short name for tables.
    unit
        Unit; empty for shares and ratios, ``z`` for units of a voxel's sd over time.
    definition
        How it is computed and how to read it.
    correlation
        Averaged over recordings and people in Fisher's z.
    """

    label: str
    unit: str
    definition: str
    correlation: bool = False


_PICTURE = "Mostly scores the mean picture: read beside the row of the mean volume only."

SCORES: Mapping[str, ScoreDefinition] = MappingProxyType(
    {
        "parcel_r": ScoreDefinition(
            "Parcel r",
            "",
            "Pearson correlation over time with the recorded BOLD, mean over the parcels of the atlas; a constant "
            "forecast has 0.",
            correlation=True,
        ),
        "parcel_r_truth": ScoreDefinition(
            "Parcel r (truth)", "", "The same with the noise-free series of the phantom.", correlation=True
        ),
        "voxel_r": ScoreDefinition(
            "Voxel r", "", "Pearson correlation over time, mean over the brain's voxels.", correlation=True
        ),
        "spatial_r": ScoreDefinition(
            "Spatial r",
            "",
            "Pearson correlation over the brain's voxels of each volume's departure from the mean picture, mean over "
            "volumes.",
            correlation=True,
        ),
        "fc_r": ScoreDefinition(
            "FC similarity",
            "",
            "Correlation between the parcel-by-parcel connectivity matrices of forecast and recorded BOLD. Needs no "
            "agreement in time: high values without EEG are usual.",
            correlation=True,
        ),
        "spectral_overlap": ScoreDefinition(
            "Spectral overlap",
            "",
            "Overlap (0-1) of the normalised power spectra above 0.01 Hz, mean over parcels. Needs no agreement in "
            "time.",
        ),
        "r2": ScoreDefinition(
            "R2",
            "",
            "Share of the voxels' pooled variance over time that is explained; negative when the forecast is worse "
            "than each voxel's own mean.",
        ),
        "parcel_r2": ScoreDefinition("Parcel R2", "", "The same over parcels."),
        "skill": ScoreDefinition(
            "Skill", "", "1 - MSE / MSE of the mean volume (z = 0), over voxels: above 0 is better than no EEG."
        ),
        "fdr_parcels": ScoreDefinition(
            "FDR parcels",
            "",
            "Share of parcels whose correlation exceeds phase surrogates at a false discovery rate of 5 % "
            "(Benjamini-Hochberg), within the recording.",
        ),
        "null_r_shift_95": ScoreDefinition(
            "Null r (shift)", "", "95th percentile of the mean parcel r over circular shifts of the forecast."
        ),
        "null_r_phase_95": ScoreDefinition(
            "Null r (phase)", "", "95th percentile of the mean parcel r over phase surrogates of the forecast."
        ),
        "coverage_50": ScoreDefinition(
            "Coverage 50 %", "", "Share of voxel values inside the central 50 % interval; should be 0.5."
        ),
        "coverage_80": ScoreDefinition("Coverage 80 %", "", "The same for the 80 % interval; should be 0.8."),
        "coverage_90": ScoreDefinition("Coverage 90 %", "", "The same for the 90 % interval; should be 0.9."),
        "coverage_95": ScoreDefinition("Coverage 95 %", "", "The same for the 95 % interval; should be 0.95."),
        "parcel_coverage_90": ScoreDefinition(
            "Parcel coverage 90 %", "", "The same for parcels and the 90 % interval; should be 0.9."
        ),
        "interval_width_90": ScoreDefinition(
            "Width 90 %", "z", "Mean width of the voxels' 90 % interval; 3.29 is the width of knowing nothing."
        ),
        "crps": ScoreDefinition(
            "CRPS", "z", "Continuous ranked probability score of the voxels' Gaussian forecasts; lower is better."
        ),
        "crps_ratio": ScoreDefinition(
            "CRPS / climatology",
            "",
            "CRPS divided by that of the mean volume with sd 1: below 1 is better than no EEG.",
        ),
        "parcel_crps_ratio": ScoreDefinition(
            "Parcel CRPS / climatology", "", "The same over parcels, whose climatology has the observed mean and sd."
        ),
        "rmse": ScoreDefinition(
            "RMSE (published)",
            "person sd",
            "Root mean square error of each volume in person-standardised units, background included. " + _PICTURE,
        ),
        "rmse_brain": ScoreDefinition("RMSE, brain", "person sd", "The same inside the brain."),
        "ssim": ScoreDefinition(
            "SSIM (published)",
            "",
            "SSIM of every third slice with the slice's maximum as data range, as eeg-to-fmri computes it. " + _PICTURE,
        ),
        "ssim_brain": ScoreDefinition("SSIM, brain", "", "The same averaged inside the brain."),
        "ssim_unit": ScoreDefinition(
            "SSIM (0-1)",
            "",
            "SSIM of all slices of volumes scaled to 0-1, data range 1: the E2fNet and NT-ViT convention. " + _PICTURE,
        ),
        "ssim_unit_brain": ScoreDefinition("SSIM (0-1), brain", "", "The same averaged inside the brain."),
        "psnr_unit": ScoreDefinition(
            "PSNR (0-1)", "dB", "Peak signal-to-noise ratio of volumes scaled to 0-1, peak 1. " + _PICTURE
        ),
        "psnr_unit_brain": ScoreDefinition("PSNR (0-1), brain", "dB", "The same inside the brain."),
    }
)
