"""Apply: brings a plan about, exactly once.

`session.py` is the log under a lease; `settle.py` sees to what an earlier apply left open; `executor.py` makes the
changes, side by side where the graph allows; `attempts.py` names each effect; `converge.py` plans again afterwards.
"""
