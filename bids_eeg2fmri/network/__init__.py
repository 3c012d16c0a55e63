"""Flax NNX modules and the bundles that hold their weights."""
