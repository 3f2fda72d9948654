"""The kind `compute`: `desired.py` plans it, `effects.py` applies it."""
