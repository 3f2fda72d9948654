"""Finds `schemas/`, `templates/` and `examples/`: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def folder(name: str) -> str:
    """The absolute path of the folder `schemas`, `templates` or `examples`."""
    inside = os.path.join(_PACKAGE, f"_{name}")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(_PACKAGE), name)


def read(name: str, file: str) -> str:
    """The text of one file of that folder."""
    with open(os.path.join(folder(name), file), encoding="utf-8") as stream:
        return stream.read()
