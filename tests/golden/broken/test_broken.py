"""One case a folder: a manifest with something wrong, and the exact text that says so.

A folder is named for the code it is about (`MLP2001`, `MLP2001-in-a-profile`) or for what it shows (`many-at-once`).
Beside `mlplan.yaml` and `expected.txt` it may hold the files that the manifest names, and `case.json` with what
`load` is called with: profile, variables, variable_files, environ; `links` are symbolic links to make.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlplan.codes import every_code
from mlplan.manifest.load import load
from mlplan.views.diagnostics import render_text

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if folder.is_dir() and folder.name != "__pycache__")
WITHOUT_CASE = {
    "MLP1002": "needs a file that may not be read; tests/unit/manifest/test_load.py",
}


@pytest.mark.parametrize("name", CASES)
def test_says_exactly(name: str, tmp_path: Path, update_golden: bool) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / name, project)
    expected = project / "expected.txt"
    text = _told(project)
    if update_golden:
        (HERE / name / "expected.txt").write_text(text, encoding="utf-8")
        return
    assert text == expected.read_text(encoding="utf-8")
    code = name.partition("-")[0]
    if code.startswith("MLP"):
        assert f"[{code}]" in text


def _told(project: Path) -> str:
    case_file = project / "case.json"
    case: dict[str, Any] = json.loads(case_file.read_text()) if case_file.exists() else {}
    for link, leads_to in case.pop("links", {}).items():
        os.symlink(leads_to, project / link)
    environ = case.pop("environ", {})
    case["variable_files"] = [str(project / name) for name in case.get("variable_files", ())]
    loaded = load(str(project / "mlplan.yaml"), environ=environ, **case)
    return render_text(loaded.diagnostics, loaded.sources).replace(f"{project}/", "")


def test_every_code_about_the_manifest_has_a_case() -> None:
    codes = {entry.code for entry in every_code() if entry.code.startswith(("MLP10", "MLP2", "MLP3"))}
    shown = {name.partition("-")[0] for name in CASES}
    assert codes - shown - set(WITHOUT_CASE) == set()


def test_no_case_is_left_over() -> None:
    codes = {entry.code for entry in every_code()}
    assert [name for name in CASES if name.startswith("MLP") and name.partition("-")[0] not in codes] == []
