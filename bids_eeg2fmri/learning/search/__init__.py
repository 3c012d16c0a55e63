"""Search for an architecture of the published network, and for the hyper-parameters of its training."""
