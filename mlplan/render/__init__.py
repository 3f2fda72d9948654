"""Rendering: resolved values and `templates/` become files, as values.

`escape.py` makes values safe for their place, `engine.py` sees to it that nothing else is printed. `dockerfiles.py`
has what images are built from, `retired.py` the formats of the retired system, `project.py` a whole project.
"""
