"""The analysis levels: stories that read top to bottom."""
