"""``python -m bids_eeg2fmri``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
