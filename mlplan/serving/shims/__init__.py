"""The import paths of the retired system that scoring scripts use, on the path of workers alone.

They are small and our own. What a script may ask of them works as it did there; everything else says that it isn't
offered. Where an environment brings the real packages, those come first.
"""
