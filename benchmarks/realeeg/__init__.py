"""What a model makes of real EEG: see ``benchmarks/real_eeg.py``."""
