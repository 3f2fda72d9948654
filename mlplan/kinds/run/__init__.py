"""The kind `run`: `desired.py` plans it, `effects.py` applies it."""
