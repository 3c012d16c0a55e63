"""The units of the synthetic images: a voxel's standardised series on a positive baseline.

The baseline is set, not predicted: EEG says nothing about the mean intensity of a voxel, but many
tools compute percent signal change or mask on a positive mean.
"""

from __future__ import annotations

BASELINE = 1000.0
UNITS_PER_Z = 10.0
