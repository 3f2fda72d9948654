"""Runs and services in containers of a Docker engine on this machine.

`compute.py` is what the manifest may say, `target.py` opens the target. `engine.py` reaches the engine, `images.py`
builds what `mlplan/render/` rendered, `jobs.py` and `services.py` keep the two protocols. What runs inside containers
stands in `inside/`, with the standard library alone.
"""
