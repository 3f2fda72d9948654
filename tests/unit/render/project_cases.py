"""The projects of `tests/golden/render/`, rendered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from mlplan.lock.lockfile import read
from mlplan.manifest.load import load
from mlplan.manifest.resolved import Manifest
from mlplan.render.project import render_project

CASES = Path(__file__).resolve().parents[2] / "golden" / "render"
NAMES = sorted(path.name for path in CASES.iterdir())
REVISION = "3f2a9c1e"


def manifest(case: str) -> Manifest:
    """The manifest of a case."""
    loaded = load(str(CASES / case / "mlplan.yaml"), environ={"MLPLAN_SECRET_TOKEN": "s3cret"})
    assert loaded.manifest is not None, loaded.diagnostics
    return loaded.manifest


def rendered(case: str) -> Mapping[str, str]:
    """Its files. What the scoring runtime needs is fixed here: its packages are in each case's lock."""
    with patch("mlplan.render.project.serving_requirements", lambda: ("h11>=0.14",)):
        return render_project(manifest(case), read(str(CASES / case / "mlplan.lock")), REVISION)
