"""While the manifest is being edited and has errors, what is recorded can be read, and nothing can be changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from .project import Project

READING = (
    ["show"],
    ["show", "run.train"],
    ["history"],
    ["dataset", "show", "numbers"],
    ["run", "list"],
    ["run", "show", "train"],
    ["run", "logs", "train"],
    ["model", "show", "mean"],
    ["model", "download", "mean", "--to", "../model"],
    ["workspace", "show"],
    ["service", "list"],
    ["service", "show", "means"],
    ["service", "logs", "means"],
    ["service", "score", "means", "-d", '{"data": [1]}'],
    ["service", "data", "means"],
    ["service", "keys", "show", "means"],
)
CHANGING = (
    ["plan"],
    ["apply", "-y"],
    ["destroy", "-y"],
    ["rollback", "model.mean", "-y"],
    ["service", "keys", "rotate", "means"],
    ["workspace", "migrate", "elsewhere", "-y"],
)


@pytest.fixture
def broken(small: Project) -> Iterator[Project]:
    """The project, applied; then one value of its manifest got wrong and its data went."""
    small.apply()
    data = os.path.join(small.folder, "data")
    small.edit("mlplan.yaml", "max_nodes: 2", "max_nodes: 1.5")
    os.rename(data, f"{data}-away")
    yield small
    small.edit("mlplan.yaml", "max_nodes: 1.5", "max_nodes: 2")
    os.rename(f"{data}-away", data)
    small.destroy()


def test_what_is_recorded_is_read_and_nothing_changed(broken: Project) -> None:
    note = "note: mlplan.yaml has 2 errors; `mlplan validate` tells them. What is shown is what is recorded.\n"
    for words in READING:
        told = broken.mlplan(*words)
        assert told.err.startswith(note), words
        assert "MLP" not in told.err, words
    before = broken.mlplan("history", "--format", "json").out
    for words in CHANGING:
        refused = broken.mlplan(*words, code=1).err
        assert "[MLP2003]" in refused, words
        assert "[MLP3304]" in refused, words
    assert broken.mlplan("history", "--format", "json").out == before
    assert json.loads(broken.mlplan("service", "list", "--format", "json").out)[0]["state"] == "Healthy"


@pytest.mark.parametrize("written", ["version: 1: 2", "version: 1\nworkspase: elsewhere"])
def test_where_the_records_are_in_doubt_nothing_is_read(small: Project, written: str) -> None:
    small.edit("mlplan.yaml", "version: 1", written)
    assert "error[MLP" in small.mlplan("show", code=1).err
