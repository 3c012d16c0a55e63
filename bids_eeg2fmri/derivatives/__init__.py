"""Names, sidecars and atomic writing of everything in the output directory."""
