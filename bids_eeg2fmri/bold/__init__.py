"""Grids, masks, tissues and parcels of the BOLD space; haemodynamics; confounds."""
