"""After an edit the plan names that reason and what follows from it, and apply does just that, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from this_machine import free_port, listens

from .project import Project

RETRAINED = {
    "model.mean": ("register", ["model bytes (known after apply of run.train)"]),
    "deployment.means": ("update", ["model mean (known after apply of model.mean)"]),
}
"""What may follow from a run, as far as a plan can tell."""


class Edit(NamedTuple):
    """What is altered, what the plan then says, and what apply then does."""

    make: Callable[[Project], None]
    planned: dict[str, tuple[str, list[str]]]
    done: dict[str, tuple[str, str]]


def edit(file: str, old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit(file, old, new)


EDITS = {
    "an argument": Edit(
        edit("mlplan.yaml", "default: 0.5", "default: 0.25"),
        {"run.train": ("run", ["--rate 0.5 -> 0.25"]), **RETRAINED},
        {"run.train": ("run", "done"), "model.mean": ("register", "done"), "deployment.means": ("update", "done")},
    ),
    "a line of the script that leaves the model as it was": Edit(
        edit("scripts/train.py", 'print(f"the mean', 'print("done")\nprint(f"the mean'),
        {"run.train": ("run", ["scripts/train.py changed"]), **RETRAINED},
        {
            "run.train": ("run", "done"),
            "model.mean": ("register", "dropped"),
            "deployment.means": ("update", "dropped"),
        },
    ),
    "a module that the script imports": Edit(
        edit("scripts/reading.py", "float(line)", "2 * float(line)"),
        {"run.train": ("run", ["scripts/reading.py changed"]), **RETRAINED},
        {"run.train": ("run", "done"), "model.mean": ("register", "done"), "deployment.means": ("update", "done")},
    ),
    "a comment in the script": Edit(
        edit("scripts/train.py", "parser = arg", "# What it is called with.\nparser = arg"), {}, {}
    ),
    "a comment in the manifest": Edit(edit("mlplan.yaml", "project: small", "project: small  # and quick"), {}, {}),
    "an unread file in an ignored folder": Edit(edit("scripts/notes/ideas.txt", "next", "first"), {}, {}),
    "a data file": Edit(
        edit("data/b.txt", "3", "9"),
        {
            "dataset.numbers": ("register", ["content: 1 file changed (b.txt)"]),
            "run.train": ("run", ["dataset numbers 1 -> 2: 1 file changed (b.txt)"]),
            **RETRAINED,
        },
        {
            "dataset.numbers": ("register", "done"),
            "run.train": ("run", "done"),
            "model.mean": ("register", "done"),
            "deployment.means": ("update", "done"),
        },
    ),
    "the test request": Edit(
        edit("testdata.json", "100", "200"),
        {"deployment.means": ("update", ["test request testdata.json changed"])},
        {"deployment.means": ("update", "done")},
    ),
    "a model tag": Edit(
        edit("mlplan.yaml", "stage: trial", "stage: final"),
        {"model.mean": ("update", ["tag stage trial -> final"])},
        {"model.mean": ("update", "done")},
    ),
    "the service's entry script": Edit(
        edit("scripts/score.py", '["above"', '["over" if number > 1e6 else "above"'),
        {
            "inference.scorer": ("update", ["scripts/score.py changed"]),
            "deployment.means": ("update", ["inference scorer changed"]),
        },
        {"inference.scorer": ("update", "done"), "deployment.means": ("update", "done")},
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_planned_and_applied_as_what_it_is(name: str, small: Project) -> None:
    small.apply()
    EDITS[name].make(small)
    assert small.plan() == EDITS[name].planned
    if EDITS[name].planned:
        assert small.apply() == EDITS[name].done
    small.in_step()
    assert small.ask("means", {"data": [100, 0]}) == ["above", "below"]


def test_another_port_replaces_the_service(small: Project) -> None:
    small.apply()
    old, new = small.port, free_port()
    small.env["MLPLAN_VAR_port"] = str(new)
    assert small.plan() == {"deployment.means": ("replace", [f"port {old} -> {new}"])}
    assert small.apply() == {"deployment.means": ("replace", "done")}
    small.in_step()
    assert (listens(old), listens(new)) == (False, True)
    assert small.ask("means", {"data": [100]}) == ["above"]


def test_a_removed_section_is_removed_from_the_world(small: Project) -> None:
    small.apply()
    small.cut("mlplan.yaml", "inference:")
    assert small.plan() == {
        "deployment.means": ("delete", ["no longer in the manifest"]),
        "inference.scorer": ("delete", ["no longer in the manifest"]),
    }
    assert small.apply() == {"deployment.means": ("delete", "done"), "inference.scorer": ("delete", "done")}
    small.in_step()
    assert not listens(small.port)


def test_all_that_was_declared_can_be_taken_out(small: Project) -> None:
    small.apply()
    small.cut("mlplan.yaml", "compute:")
    done = small.apply()
    assert done["run.train"] == ("delete", "done")
    assert {outcome for _, outcome in done.values()} == {"done"}
    small.in_step()
    assert not listens(small.port)


def test_a_package_pin_runs_again_what_it_is_for(small: Project) -> None:
    script = "    script: train.py\n"
    small.edit("mlplan.yaml", script, script + "    environment: {packages: [idna==3.10]}\n")
    small.apply()
    small.in_step()
    small.edit("mlplan.yaml", "idna==3.10", "idna==3.9")
    assert small.plan() == {
        "run.train": ("run", ["package idna 3.10 -> 3.9"]),
        "model.mean": ("register", ["model bytes (known after apply of run.train)"]),
        # The inference names no environment: the service has that of the run that made the model.
        "deployment.means": ("update", ["model mean (known after apply of model.mean)", "package idna 3.10 -> 3.9"]),
    }
    assert small.apply() == {
        "run.train": ("run", "done"),
        "model.mean": ("register", "dropped"),
        "deployment.means": ("update", "done"),
    }
    small.in_step()


def test_what_ran_before_is_restored_and_not_run(small: Project) -> None:
    small.apply()
    small.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    small.apply()
    assert small.executions("train") == 2
    small.edit("mlplan.yaml", "default: 0.25", "default: 0.5")
    assert small.plan() == {
        "run.train": ("restore", ["--rate 0.25 -> 0.5"]),
        "model.mean": ("register", ["model bytes: version 1 again"]),
        "deployment.means": ("update", ["model mean 2 -> 1"]),
    }
    small.apply()
    small.in_step()
    assert small.executions("train") == 2


def test_a_second_apply_changes_nothing(small: Project) -> None:
    small.apply()
    served = small.served_digest()
    assert small.apply() == {}
    assert small.executions("train") == 1
    assert small.served_digest() == served
