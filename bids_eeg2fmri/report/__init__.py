"""The reports: one panel a file, assembled from a list."""
