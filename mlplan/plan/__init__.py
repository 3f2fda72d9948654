"""The plan: what would change in the world, and why. A pure function of what is desired, recorded and observed.

`changes.py` holds the types, `decide.py` the one decision that plan and apply share, `make.py` the walk over the
graph.
"""
