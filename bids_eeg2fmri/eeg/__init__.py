"""Read EEG, place it on the head, clean it, find its volumes, project it to the sources."""
