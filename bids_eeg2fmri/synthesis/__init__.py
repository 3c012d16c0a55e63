"""From a recording to a prediction, block by block."""
