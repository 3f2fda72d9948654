"""The kind `deployment`: `desired.py` plans it, `effects.py` applies it."""
