"""Datasets of people or recordings to be told apart: see ``benchmarks/classification.py``."""
