"""Kinds: what each section of the manifest means. One folder a kind, one line each in `registry.py`."""
