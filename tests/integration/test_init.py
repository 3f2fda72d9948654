"""`mlplan init`: what it offers, what it writes, and what it leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .project import MLPLAN

OFFERED = """\
iris-no-code  A scikit-learn model, served with no code
mnist         MNIST: data from the web, environments of their own
pipeline      A pipeline: a run that uses another run's outputs
quickstart    Quickstart: data, training, a gate, a model, a service
two-models    Two models in one service, trained side by side
"""


def init(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MLPLAN, "init", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_templates_are_told_by_what_they_show(tmp_path: Path) -> None:
    assert init(tmp_path, "--list").stdout == OFFERED


def test_a_fresh_repository_with_a_readme_is_a_place_to_begin(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Mine.\n")
    begun = init(tmp_path, "--template", "pipeline")
    assert begun.returncode == 0
    assert "README.md was there, and stays." in begun.stderr
    assert (tmp_path / "README.md").read_text() == "Mine.\n"
    assert (tmp_path / "scripts" / "prepare.py").exists()


def test_nothing_else_is_written_where_one_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "testdata.json").write_text("[]")
    refused = init(tmp_path)
    assert refused.returncode == 1
    assert "MLP5006" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["testdata.json"]
