"""Measures what is promised of speed, both sides in one run: ``python -m tools.bench``."""
