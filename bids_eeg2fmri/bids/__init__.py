"""Select recordings of a BIDS dataset and the files that describe them."""
