"""Training of the published network on people with EEG and BOLD."""
