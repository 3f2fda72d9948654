"""A folder that stands on the PYTHONPATH of jobs. Its packages shadow nothing else: see their docstrings."""
