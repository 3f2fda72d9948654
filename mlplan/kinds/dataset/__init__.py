"""The kind `dataset`: `desired.py` plans it, `effects.py` applies it."""
