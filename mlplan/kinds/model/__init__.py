"""The kind `model`: `desired.py` plans it, `effects.py` applies it."""
