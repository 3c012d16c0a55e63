"""Fit networks and calibrate their uncertainty."""
