"""How good the bundled model is on simulated people: what ``benchmarks/model_quality.py`` measures, and how."""
