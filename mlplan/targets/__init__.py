"""Targets: the drivers behind a compute type. One folder a target, one line each in `registry.py`."""
