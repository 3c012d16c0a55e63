"""Simulated simultaneous EEG-fMRI with known ground truth."""
