"""What every metric of a recording means; the one place where metrics are defined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class MetricDefinition:
    """A metric of one recording.

    Attributes
    ----------
    label
        Short name for tables and axes.
    unit
        Unit in SI notation; empty for shares, counts and ratios.
    definition
        How it is computed and how to read it, in plain words.
    """

    label: str
    unit: str
    definition: str


METRICS: Mapping[str, MetricDefinition] = MappingProxyType(
    {
        "n_volumes": MetricDefinition("Volumes", "", "Number of synthetic volumes written."),
        "duration_s": MetricDefinition("EEG duration", "s", "Length of the EEG recording."),
        "n_channels_used": MetricDefinition(
            "Channels used", "", "Placed, good EEG channels that entered the source projection."
        ),
        "n_channels_left_out": MetricDefinition(
            "Channels left out", "", "Channels of the file that are not scalp EEG or could not be placed on the head."
        ),
        "n_channels_bad": MetricDefinition(
            "Bad channels", "", "EEG channels marked bad by the dataset or by cleaning."
        ),
        "share_bad_time": MetricDefinition(
            "Bad time", "", "Share (0-1) of the recording's duration that cleaning marked as wild, missing or flat."
        ),
        "tsnr_median": MetricDefinition(
            "tSNR",
            "",
            "Median over brain voxels of the temporal mean divided by the temporal standard deviation of the "
            "synthetic series. The mean is set, not predicted: not comparable with a scanner's tSNR.",
        ),
        "tstd_median": MetricDefinition(
            "Temporal sd",
            "BOLD units",
            "Median over brain voxels of the standard deviation over time of the synthetic series.",
        ),
        "total_sd_median": MetricDefinition(
            "Total sd",
            "BOLD units",
            "Median over brain voxels of the root mean square over time of the predictive standard deviation "
            "(aleatoric and epistemic together).",
        ),
        "epistemic_sd_median": MetricDefinition(
            "Epistemic sd",
            "BOLD units",
            "Median over brain voxels of the part of the uncertainty on which the members of the model disagree.",
        ),
        "aleatoric_sd_median": MetricDefinition(
            "Aleatoric sd",
            "BOLD units",
            "Median over brain voxels of the part of the uncertainty that the model takes for noise in the data.",
        ),
        "relative_uncertainty_median": MetricDefinition(
            "Relative uncertainty",
            "",
            "Median over brain voxels of total sd divided by the temporal sd of the synthetic series. "
            "Above 1 the uncertainty is larger than the predicted signal.",
        ),
        "share_interpretable": MetricDefinition(
            "Interpretable",
            "",
            "Share (0-1) of grey-matter voxels where the correlation with measured BOLD exceeds zero with 90 % "
            "probability in a person whom the model has not seen, for caps of this size.",
        ),
        "novelty_median": MetricDefinition(
            "Novelty",
            "percentile",
            "Median over volumes of the distance between the recording's features and the training features, as a "
            "percentile of the training distribution (0-100). Near 100 the model extrapolates.",
        ),
        "global_signal_share": MetricDefinition(
            "Global signal share",
            "",
            "Mean correlation between all pairs of brain voxels (gcor): the share of variance that is global.",
        ),
        "share_power_001_010_hz": MetricDefinition(
            "Power in 0.01-0.1 Hz",
            "",
            "Share (0-1) of the power of the parcels' series between 0.01 and 0.1 Hz, the band of resting-state BOLD.",
        ),
    }
)
