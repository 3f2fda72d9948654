"""The state: what the workspace's log says, folded. Pure values and functions; no file is opened here.

`records.py` holds the types, `entries.py` what a commit may say, `fold.py` how commits become a state, `encode.py`
and `checkpoint.py` how commits and states are spelled as bytes, `upgrade.py` how older records are read.
"""
