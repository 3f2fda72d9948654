"""Ways back, and out: rollback, moved, protect, gc, destroy, unlock; and what is told where an apply ends in part, or
where the plan after it isn't empty."""

from __future__ import annotations

import json
import os

from this_machine import listens

from .project import Project


def test_an_earlier_version_comes_back_into_service_and_the_next_apply_goes_forward(small: Project) -> None:
    small.apply()
    first = small.served_digest()
    small.edit("mlplan.yaml", "default: 0.5", "default: 0.7")
    small.apply()
    second = small.served_digest()
    assert first != second

    told = small.mlplan("rollback", "deployment.means", "-y")
    assert "model mean 2 -> 1" in told.out
    assert "models: [mean:1]" in told.err
    assert small.served_digest() == first
    assert small.executions("train") == 2
    assert small.plan() == {"deployment.means": ("update", ["model mean 1 -> 2"])}
    small.apply()
    assert small.served_digest() == second
    assert "it has: 1, 2" in small.mlplan("rollback", "model.mean", "9", "-y", code=1).err
    small.in_step()


def test_protection_outlasts_the_block_that_asked_for_it(small: Project) -> None:
    small.edit("mlplan.yaml", "    inference: scorer\n", "    inference: scorer\n    protect: true\n")
    small.apply()
    small.cut("mlplan.yaml", "deployment:")
    for words in (["plan"], ["apply", "-y"], ["destroy", "-y"]):
        refused = small.mlplan(*words, code=3).err
        assert "MLP5002" in refused
        assert "protect: false" in refused
    assert listens(small.port)
    service = f"{{compute: here, models: [mean], inference: scorer, port: {small.port}}}"
    with open(os.path.join(small.folder, "mlplan.yaml"), "a", encoding="utf-8") as stream:
        stream.write(f"\ndeployment:\n  means: {service}\n")
    small.apply()
    small.destroy()


def test_what_moves_is_not_made_anew(small: Project) -> None:
    small.apply()
    before = small.served_digest()
    small.edit("mlplan.yaml", "\n  train:\n", "\n  fit:\n")
    small.edit("mlplan.yaml", "run: train", "run: fit")
    with open(os.path.join(small.folder, "mlplan.yaml"), "a", encoding="utf-8") as stream:
        stream.write("\nmoved:\n  - {from: run.train, to: run.fit}\n")
    assert small.apply() == {"run.fit": ("update", "done")}
    assert small.served_digest() == before
    assert "moved run.train to run.fit" in small.mlplan("history").out
    small.in_step()


def test_gc_keeps_what_anything_refers_to(small: Project) -> None:
    small.apply()
    small.edit("mlplan.yaml", "default: 0.5", "default: 0.7")
    small.apply()
    assert "everything kept is referred to" in small.mlplan("gc", "-y").err
    small.mlplan("model", "download", "mean:1", "-t", "one")
    said = small.mlplan("destroy", "-y").out
    assert f"http://127.0.0.1:{small.port}/score stops answering" in said
    assert "2 kept versions stay until `mlplan gc`" in said
    asked = small.mlplan("gc", code=1).err
    assert "model mean:1, which nothing declares or serves any more" in asked
    assert "mlplan gc -y" in asked
    small.mlplan("gc", "-y")
    small.mlplan("model", "download", "mean:1", "-t", "two", code=1)
    assert small.apply()["run.train"] == ("run", "done")  # nothing is left that could be restored
    small.in_step()


def test_unlock_has_nothing_to_break_where_nobody_holds(small: Project) -> None:
    assert small.mlplan("unlock").err == "Nobody holds the workspace.\n"


def test_an_apply_that_ends_in_part_says_how_to_go_on(small: Project) -> None:
    small.edit("scripts/train.py", "mean = sum", "print('at seven')\nraise SystemExit(7)\nmean = sum")
    lines = small.mlplan("apply", "-y", "--format", "json", code=4).out.splitlines()
    last = json.loads(lines[-1])
    assert last["changes"] == {
        "done": ["compute.here", "dataset.numbers", "inference.scorer"],
        "failed": ["run.train"],
        "not-started": ["deployment.means", "model.mean"],
    }
    assert last["next"] == ["mlplan run logs train", "mlplan apply"]
    said = small.mlplan("apply", "-y", code=1).err
    assert "not started: model.mean, deployment.means" in said
    assert "mlplan apply" in said


def test_a_plan_that_is_not_empty_afterwards_names_field_and_values(small: Project) -> None:
    """A script that writes to its own input: whatever is done, there is something to do."""
    data = os.path.join(small.folder, "data", "grown.txt")
    small.edit("scripts/train.py", "mean = sum", f"open({data!r}, 'a').write('1 ')\nmean = sum")
    said = small.mlplan("apply", "-y", code=8).err
    assert "MLP7004" in said
    assert "dataset.numbers was applied, and yet the plan after it says `register`: content is " in said
    assert "`run`: dataset numbers is 2, was 1" in " ".join(said.split())
    assert said.count("MLP7004") == 2  # what only follows from these is left out


def test_a_run_that_times_out_names_its_limit(small: Project) -> None:
    small.edit("mlplan.yaml", "    script: train.py\n", "    script: train.py\n    timeout: 1s\n")
    small.edit("scripts/train.py", "mean = sum", "import time\ntime.sleep(600)\nmean = sum")
    assert "`timeout: 1s`" in small.mlplan("apply", "-y", code=4).err
