"""`explain ADDR`: the shortest chain of causes, each with its place and with whoever wrote it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .repository import Repository, project_on_main

MANIFEST = """\
version: 1
project: why
variables:
  rate: {type: number, default: 0.5}
compute:
  here: {type: local, max_nodes: 2}
dataset:
  numbers:
    source: data
run:
  train:
    compute: here
    source: code
    script: train.py
    arguments: [--data, "${{ dataset.numbers.path }}", --rate, "${{ var.rate }}"]
    env: {WHO: "${{ env.WHO }}", KEY: "${{ secret.KEY }}", OLD: "1"}
model:
  mean:
    run: train
    path: outputs/mean.json
    require: [count >= 3]
  plain: {file: plain.bin}
"""
FILES = {
    "mlplan.yaml": MANIFEST,
    "data/a.txt": "1\n",
    "code/train.py": """\
import pathlib
import reading
pathlib.Path("outputs/mean.json").write_text("2")
pathlib.Path("outputs/metrics.json").write_text('{"count": 3}')
""",
    "code/reading.py": "x = 1\n",
    "plain.bin": "1",
    ".gitignore": ".mlplan/\n",
}


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A project without a service, applied; the branch `work` is checked out."""
    monkeypatch.setenv("WHO", "ann")
    monkeypatch.setenv("MLPLAN_SECRET_KEY", "one")
    monkeypatch.setenv("COLUMNS", "160")
    repository = project_on_main(tmp_path / "r", files=FILES)
    result = repository.mlplan("apply", "-y")
    assert result.code == 0, result.err
    return repository


def explained(repository: Repository, address: str, *options: str) -> list[str]:
    """The lines of the explanation, commits without their digests and times."""
    result = repository.mlplan(*options, "explain", address)
    assert result.code == 0, result.err
    return [re.sub(r"\b[0-9a-f]{7,} (\w+), .*?: ", r"\1: ", line.strip()) for line in result.out.splitlines()]


def test_what_stays_has_no_cause(applied: Repository) -> None:
    assert explained(applied, "run.train") == ["run.train doesn't change: it is as the manifest says."]


def test_a_default_of_a_variable_is_followed_through_what_it_makes_run(applied: Repository) -> None:
    applied.edit("mlplan.yaml", "default: 0.5", "default: 0.7")
    applied.commit("raise the rate", author="Bob <bob@example.org>")
    assert explained(applied, "model.mean") == [
        "model.mean will be registered",
        "model bytes (known after apply of run.train)",
        "because run.train will run",
        "--rate 0.5 -> 0.7",
        'mlplan.yaml:15 | arguments: [--data, "${{ dataset.numbers.path }}", --rate, "${{ var.rate }}"]',
        "Ann: begin",
        "mlplan.yaml:4 | rate: {type: number, default: 0.7}",
        "Bob: raise the rate",
    ]


@pytest.mark.parametrize(
    ("name", "value", "reason", "origin"),
    [
        ("WHO", "bob", "env WHO ann -> bob", "filled in from WHO of the environment"),
        ("MLPLAN_SECRET_KEY", "two", "secret KEY changed", "the value of the secret KEY, which stands in no file"),
    ],
)
def test_what_comes_from_the_environment_says_so(
    name: str, value: str, reason: str, origin: str, applied: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    lines = explained(applied, "run.train")
    assert lines[:2] == ["run.train will run", reason]
    assert lines[2].startswith("mlplan.yaml:16 | env: {WHO:")
    assert origin in lines


def test_a_value_of_the_command_line_says_so(applied: Repository) -> None:
    lines = explained(applied, "run.train", "--var", "rate=0.9")
    assert lines[1] == "--rate 0.5 -> 0.9"
    assert lines[-1] == "the variable rate has its value from the command line"


def test_data_and_code_lead_to_their_files(applied: Repository) -> None:
    applied.write({"data/a.txt": "1\n2\n"})
    assert explained(applied, "dataset.numbers") == [
        "dataset.numbers will be registered",
        "content: 1 file changed (a.txt)",
        "data/a.txt",
        "not committed yet",
    ]
    assert explained(applied, "run.train")[-4:] == [
        "because dataset.numbers will be registered",
        "content: 1 file changed (a.txt)",
        "data/a.txt",
        "not committed yet",
    ]
    applied.write({"code/reading.py": "x = 2\n", "plain.bin": "2"})
    applied.commit("another x")
    assert explained(applied, "run.train") == [
        "run.train will run",
        "code/reading.py changed",
        "code/reading.py",
        "Ann: another x",
        "also, through others: dataset numbers 1 -> 2: 1 file changed (a.txt)",
    ]
    assert explained(applied, "model.plain")[1:] == ["model bytes changed", "plain.bin", "Ann: another x"]


def test_what_was_taken_out_is_told_by_who_took_it(applied: Repository) -> None:
    applied.edit("mlplan.yaml", ', OLD: "1"', "")
    applied.edit("mlplan.yaml", "[count >= 3]", "[count > 1]")
    applied.edit("mlplan.yaml", "  plain: {file: plain.bin}\n", "")
    taken_out = "mlplan.yaml, from which it was taken out"
    assert explained(applied, "run.train")[1:] == ["env OLD 1 removed", taken_out, "not committed yet"]
    applied.commit("clean up", author="Bob <bob@example.org>")
    assert explained(applied, "run.train")[1:] == ["env OLD 1 removed", taken_out, "Bob: clean up"]
    assert explained(applied, "model.plain")[1:] == ["no longer in the manifest", taken_out, "Bob: clean up"]
    assert explained(applied, "model.mean") == [
        "model.mean will be registered",
        "require count > 1 added",
        "mlplan.yaml:21 | require: [count > 1]",
        "Bob: clean up",
        "require count >= 3 removed",
        taken_out,
        "Bob: clean up",
        "also, through others: model bytes (known after apply of run.train)",
    ]


def test_what_is_new_or_moved_leads_to_its_line(applied: Repository) -> None:
    applied.edit(
        "mlplan.yaml", "  plain: {file: plain.bin}\n", "  plainer: {file: plain.bin}\n  new: {file: plain.bin}\n"
    )
    applied.write({"mlplan.yaml": (applied.folder / "mlplan.yaml").read_text() + "moved:\n"})
    applied.edit("mlplan.yaml", "moved:\n", "moved:\n  - {from: model.plain, to: model.plainer}\n")
    assert explained(applied, "model.plainer")[1:3] == [
        "moved from model.plain",
        "mlplan.yaml:25 | - {from: model.plain, to: model.plainer}",
    ]
    assert explained(applied, "model.new")[1:] == [
        "new",
        "mlplan.yaml:23 | new: {file: plain.bin}",
        "not committed yet",
    ]


def test_drift_has_no_line(applied: Repository) -> None:
    shutil.rmtree(applied.folder / ".mlplan" / "artifacts")
    assert explained(applied, "model.plain") == [
        "model.plain will be registered",
        "artifact list missing or damaged",
    ]


def test_an_address_that_nothing_has_is_told_the_nearest(applied: Repository) -> None:
    result = applied.mlplan("explain", "run.tran")
    assert result.code == 1
    assert 'Did you mean "run.train"?' in result.err


def test_a_code_is_explained_in_small_letters_too(applied: Repository) -> None:
    assert applied.mlplan("explain", "mlp5015").out.startswith("MLP5015: Gated impact (error, since 0.1)\n")
    assert applied.mlplan("explain", "MLP5999").code == 1


def test_a_long_line_goes_on_further_in_than_it_began(applied: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    applied.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    rows = applied.mlplan("explain", "model.mean").out.splitlines()
    start = next(n for n, row in enumerate(rows) if row.startswith("        mlplan.yaml:"))
    assert rows[start + 1].startswith("          ")
    assert all(len(row) <= 60 for row in rows)
