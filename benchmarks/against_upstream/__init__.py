"""The published package, eeg-to-fmri 0.0.9 on TensorFlow 2.15, and ours: the parts of :mod:`benchmarks.upstream`."""
