"""One case a folder: a manifest with something wrong, and the exact text that says so.

A folder is named for the code it is about (`MLP2001`, `MLP2001-in-a-profile`) or for what it shows (`many-at-once`).
Every case finds the files of FILES, empty, and a `testdata.json` that can be asked. Beside `mlplan.yaml` and
`expected.txt` a folder may hold files of its own and `case.json`: what `load` is called with (profile, variables,
variable_files, environ), and `links`, symbolic links to make.
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
FILES = ("scripts/train.py", "scripts/score.py", "data.csv", "model.pkl", "requirements.txt")
CASES = sorted(folder.name for folder in HERE.iterdir() if folder.is_dir() and folder.name != "__pycache__")
WITHOUT_CASE = {
    "MLP1002": "needs a file that may not be read; tests/unit/manifest/test_load.py",
}


@pytest.mark.parametrize("name", CASES)
def test_says_exactly(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / name, project)
    for file in FILES:
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).touch()
    if not (project / "testdata.json").exists():
        (project / "testdata.json").write_text('{"data": [[1]]}\n')
    monkeypatch.chdir(project)
    text = _told(project)
    if update_golden:
        (HERE / name / "expected.txt").write_text(text, encoding="utf-8")
        return
    assert text == (project / "expected.txt").read_text(encoding="utf-8")
    code = name.partition("-")[0]
    if code.startswith("MLP"):
        assert f"[{code}]" in text


def _told(project: Path) -> str:
    case_file = project / "case.json"
    case: dict[str, Any] = json.loads(case_file.read_text()) if case_file.exists() else {}
    for link, leads_to in case.pop("links", {}).items():
        os.symlink(leads_to, project / link)
    environ = case.pop("environ", {})
    loaded = load("mlplan.yaml", environ=environ, **case)
    return render_text(loaded.diagnostics, loaded.sources)


def test_every_code_about_the_manifest_has_a_case() -> None:
    codes = {entry.code for entry in every_code() if entry.code.startswith(("MLP10", "MLP2", "MLP3"))}
    shown = {name.partition("-")[0] for name in CASES}
    assert codes - shown - set(WITHOUT_CASE) == set()


def test_no_case_is_left_over() -> None:
    codes = {entry.code for entry in every_code()}
    assert [name for name in CASES if name.startswith("MLP") and name.partition("-")[0] not in codes] == []
