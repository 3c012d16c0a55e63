"""Figures from images and arrays: one kind a file, used by the panels and free for anyone's own use.

Every function returns a matplotlib figure, draws in the report's style and takes ``mark``: a sentence in the red box
at the top that says where the data come from, such as :data:`bids_eeg2fmri.report.style.SYNTHETIC_TEXT`.
"""
