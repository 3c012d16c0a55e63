"""The published benchmarks: NODDI, Oddball and CN-EPFL as downloaded, trained and scored beside the published rows."""
