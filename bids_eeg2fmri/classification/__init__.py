"""People told apart through the synthesised view."""
