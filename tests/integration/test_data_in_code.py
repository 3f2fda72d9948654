"""A run whose source is the whole project: what counts as its code, and what as its data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Copy
from .project import Project

MANIFEST = """\
version: 1
project: flat
compute: {here: {type: local}}
dataset:
  numbers: {source: data/*.csv}
run:
  train:
    compute: here
    source: .
    script: train.py
    env: {DATA: "${{ dataset.numbers.path }}"}
"""
SCRIPT = """\
import json, os
total = sum(map(float, open("data/a.csv")))
assert "DATA" not in os.environ or open(os.path.join(os.environ["DATA"], "a.csv")).read() == open("data/a.csv").read()
json.dump({"total": total}, open("outputs/metrics.json", "w"))
"""


@pytest.fixture
def flat(copy: Copy, tmp_path: Path) -> Project:
    folder = tmp_path / "as-it-is"
    (folder / "data").mkdir(parents=True)
    (folder / "mlplan.yaml").write_text(MANIFEST)
    (folder / "train.py").write_text(SCRIPT)
    (folder / "data" / "a.csv").write_text("1\n2\n")
    (folder / "data" / "readme.md").write_text("Numbers.\n")
    return copy("flat", folder)


def total(project: Project) -> float:
    shown = json.loads(project.mlplan("run", "show", "train", "--format", "json").out)
    return float(shown["metrics"]["total"])


def test_data_that_is_referred_to_counts_once_and_stays_where_the_script_finds_it(flat: Project) -> None:
    assert flat.mlplan("validate").out == ""
    flat.apply()
    assert total(flat) == 3
    flat.write("data/a.csv", "1\n5\n")
    assert flat.plan()["run.train"] == ("run", ["dataset numbers 1 -> 2: 1 file changed (a.csv)"])
    flat.apply()
    assert total(flat) == 6
    flat.in_step()
    flat.write("data/readme.md", "Other numbers.\n")
    assert flat.plan() == {"run.train": ("run", ["data/readme.md changed"])}


def test_data_that_is_not_referred_to_counts_as_code_and_that_is_told(flat: Project) -> None:
    flat.edit("mlplan.yaml", '    env: {DATA: "${{ dataset.numbers.path }}"}\n', "")
    told = flat.mlplan("validate", "--format", "concise").out
    assert told == (
        "mlplan.yaml:9:13: warning[MLP5106] Data among the code: The source folder of run.train holds data of "
        "dataset.numbers: data/a.csv (4 B). Each change of it counts as one of the code.\n"
    )
    flat.apply()
    flat.write("data/a.csv", "1\n5\n")
    assert flat.plan()["run.train"] == ("run", ["data/a.csv changed"])
    flat.write(".mlplanignore", "data/\n")
    assert flat.mlplan("validate").out == ""


def test_the_manifest_is_no_code_whatever_it_is_called(flat: Project) -> None:
    with open(f"{flat.folder}/mlplan.yaml", encoding="utf-8") as stream:
        flat.write("it.yaml", stream.read())
    flat.mlplan("-f", "it.yaml", "apply", "-y")
    flat.edit("it.yaml", "version: 1\n", "# Of our team.\nversion: 1\n")
    flat.mlplan("-f", "it.yaml", "plan", "--detailed-exitcode", code=0)
