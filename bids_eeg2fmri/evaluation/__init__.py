"""Scores, and the baselines they must stand beside."""
