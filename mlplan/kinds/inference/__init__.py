"""The kind `inference`: `desired.py` plans it, `effects.py` applies it."""
