"""Synthetic BOLD from EEG: a BIDS App."""

__version__ = "0.1.0"
