"""The scoring runtime, asked over loopback as its clients and its target ask it."""
