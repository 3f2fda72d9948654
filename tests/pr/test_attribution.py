"""`plan --base REV --with-state` tells this change, what was pending on the base, and drift apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlplan.address import Address
from mlplan.plan.attribution import attribute
from mlplan.plan.changes import Change, Plan, Reason

from .repository import FILES, MANIFEST, Repository, project_on_main

TRAINING = MANIFEST.partition("inference:\n")[0] + "  plain:\n    file: data/a.txt\n    tags: {stage: trial}\n"
MEAN = """\
import pathlib
pathlib.Path("outputs/mean.json").write_text("2")
pathlib.Path("outputs/metrics.json").write_text('{"count": 3}')
"""


@pytest.fixture
def applied(tmp_path: Path) -> Repository:
    """A project without a service; its first commit on `main` is applied, then `work` is checked out."""
    repository = project_on_main(tmp_path / "r", files={**FILES, "mlplan.yaml": TRAINING, "code/train.py": MEAN})
    result = repository.mlplan("apply", "-y")
    assert result.code == 0, result.err
    return repository


def attributed(repository: Repository) -> dict[str, str]:
    document = repository.document("--base", "main", "--with-state")
    return {c["address"]: c["attribution"] for c in document["resource_changes"] if "attribution" in c}


def test_each_change_is_told_by_who_caused_it(applied: Repository) -> None:
    assert attributed(applied) == {}
    applied.git("checkout", "--quiet", "main")
    applied.edit("mlplan.yaml", "owner: ann", "owner: bob")
    applied.commit("pending")
    applied.git("checkout", "--quiet", "-B", "work")
    applied.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    applied.commit("this change")
    assert attributed(applied) == {
        "dataset.numbers": "pending", "run.train": "this-change", "model.mean": "this-change",
    }  # fmt: skip
    applied.git("checkout", "--quiet", "main")
    assert attributed(applied) == {"dataset.numbers": "pending"}


def test_drift_is_nobodys_edit(applied: Repository) -> None:
    shutil.rmtree(applied.folder / ".mlplan/artifacts")
    applied.edit("mlplan.yaml", "max_nodes: 2", "max_nodes: 3")
    applied.commit("this change")
    found = attributed(applied)
    assert found["compute.here"] == "this-change"
    assert {found[address] for address in ("run.train", "model.mean", "model.plain", "dataset.numbers")} == {"drift"}
    text = applied.mlplan("plan", "--base", "main", "--with-state").out
    assert text.index("From this change") < text.index("compute.here") < text.index("Mending drift")
    assert "compared with" not in text


def test_what_is_not_committed_is_said_to_be_untold(applied: Repository) -> None:
    applied.edit("mlplan.yaml", "owner: ann", "owner: bob")
    assert attributed(applied) == {"dataset.numbers": "pending"}
    result = applied.mlplan("plan", "--base", "main", "--with-state")
    assert result.err == "note: edits that aren't committed can't be told from what was pending.\n"


def test_a_plan_on_the_state_can_be_kept_and_applied(applied: Repository) -> None:
    applied.edit("mlplan.yaml", "owner: ann", "owner: bob")
    applied.commit("this change")
    kept = str(applied.top.parent / "plan.json")
    assert applied.document("--base", "main", "--with-state", "--out", kept)["applyable"] is True
    assert applied.document("--base", "main")["applyable"] is False
    assert applied.mlplan("apply", kept).code == 0
    refused = applied.mlplan("plan", "--base", "main", "--out", kept)
    assert (refused.code, "MLP5011" in refused.err) == (1, True)


RUN, MODEL, SERVICE = Address("run", "r"), Address("model", "m"), Address("deployment", "d")


def plan_of(reasons: dict[Address, tuple[Reason, ...]]) -> Plan:
    changes = tuple(Change(address, "update", why, {}, {}) for address, why in reasons.items())
    return Plan("p", "", 1, "", changes, {})


def test_what_only_follows_has_the_cause_of_what_it_follows() -> None:
    upstream = {
        MODEL: (Reason("upstream", "model bytes", None, "run.r"),),
        SERVICE: (Reason("upstream", "model m", None, "model.m"),),
    }
    drifted = plan_of({RUN: (Reason("drift", "kept output", None, None, "missing"),), **upstream})
    assert attribute(drifted, set()) == {RUN: "drift", MODEL: "drift", SERVICE: "drift"}
    edited = plan_of({RUN: (Reason("changed", "--rate", 1, 2),), **upstream})
    assert attribute(edited, set()) == {RUN: "pending", MODEL: "pending", SERVICE: "pending"}
    assert attribute(edited, {RUN}) == {RUN: "this-change", MODEL: "this-change", SERVICE: "this-change"}


def test_the_worst_cause_is_told() -> None:
    both = plan_of({SERVICE: (Reason("changed", "port", 1, 2), Reason("drift", "service", None, None, "stopped"))})
    assert attribute(both, set()) == {SERVICE: "pending"}
    assert attribute(both, {SERVICE}) == {SERVICE: "this-change"}
