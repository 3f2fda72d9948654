"""The JSON of a plan is lossless, guarded and of the published shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.fingerprint import Part
from mlplan.plan.changes import Change, Forecast, Plan, Reason
from mlplan.views import plan_json
from mlplan.views.plan_context import Context
from mlplan.views.plan_reading import plan_from_json
from mlplan.world import Drift

TRAIN = Address("run", "train")
PLAN = Plan(
    "tutorial",
    "lineage",
    3,
    "d" * 64,
    (
        Change(
            TRAIN,
            "run",
            (
                Reason("changed", "--alpha", 0.1, 0.5),
                Reason("changed", "train.py"),
                Reason("upstream", "x", 1, "run.a"),
            ),
            {"--alpha": Part("result", "1" * 64, 0.1), "train.py": Part("result", "2" * 64)},
            {"--alpha": Part("result", "3" * 64, 0.5), "x": Part("label", None, "run.a")},
            (Address("run", "a"),),
            (Drift("kept output a", "missing"),),
            Forecast(1.5, 1024),
            "retrain",
            "all is lost",
            {"id": "train-1"},
            ("snapshot: 1 file",),
        ),
        Change(Address("compute", "c"), "no-op", (), {}, {}),
        Change(Address("deployment", "s"), "replace", (Reason("changed", "port", 1, 2),), {}, {}),
        Change(Address("deployment", "t"), "delete", (Reason("undeclared", "deployment.t"),), {}, {}),
    ),
    {"deployment.s": {"scoring_uri": "http://127.0.0.1:2/score"}},
)


def test_comes_back_as_it_was() -> None:
    context = Context("main", {TRAIN: "this-change"}, False)
    text = plan_json.render(PLAN, context=context)
    read = plan_from_json(text)
    assert read.plan == PLAN
    assert read.context.base == "main"
    assert read.context.attribution[TRAIN] == "this-change"
    assert not read.context.complete
    assert plan_json.render(read.plan, context=read.context) == text


def test_the_order_of_parts_does_not_show() -> None:
    change = PLAN.changes[0]
    turned = change._replace(
        before=dict(reversed([*change.before.items()])), after=dict(reversed([*change.after.items()]))
    )
    assert plan_json.render(PLAN._replace(changes=(turned, *PLAN.changes[1:]))) == plan_json.render(PLAN)


def test_has_terraforms_names_where_the_meaning_is_the_same() -> None:
    run, compute, service, gone = plan_json.document(PLAN)["resource_changes"]
    assert run["address"] == "run.train"
    assert run["change"] == {
        "actions": ["run"],
        "before": {"--alpha": 0.1, "train.py": "sha256:2222222222222222"},
        "after": {"--alpha": 0.5},
        "after_unknown": {"x": True},
    }
    assert run["action_reason"] == "run_because_changed"
    assert compute["change"]["actions"] == ["no-op"]
    assert compute["action_reason"] is None
    assert service["change"]["actions"] == ["delete", "create"]
    assert service["action_reason"] == "replace_because_cannot_update"
    assert gone["action_reason"] == "delete_because_no_resource_config"
    assert gone["change"]["after"] is None


def test_a_comparison_with_a_base_cannot_be_applied() -> None:
    assert plan_json.document(PLAN)["applyable"]
    assert not plan_json.document(PLAN, Context(base="main"))["applyable"]
    assert not plan_json.document(PLAN._replace(changes=()))["applyable"]


def test_gates_are_unknown_until_they_are_asked() -> None:
    parts = {"require accuracy >= 0.9": Part("check", "1" * 64)}
    changes = (
        Change(Address("model", "a"), "no-op", (), parts, parts),
        Change(Address("model", "b"), "register", (), parts, parts),
    )
    assert plan_json.document(PLAN._replace(changes=changes))["checks"] == [
        {"address": "model.a", "name": "require accuracy >= 0.9", "status": "pass"},
        {"address": "model.b", "name": "require accuracy >= 0.9", "status": "unknown"},
    ]


def _edited(**fields: Any) -> str:
    """The plan with fields set anew and a digest that fits again."""
    document = {**plan_json.document(PLAN), **fields}
    del document["digest"]
    from mlplan.json_types import digest_of

    return json.dumps({**document, "digest": digest_of(document)})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MLP1201"),
        ("[]", "MLP1201"),
        ("{}", "MLP1201"),
        ("[" * 100_000, "MLP1201"),
        (plan_json.render(PLAN)[:-20], "MLP1201"),
        (plan_json.render(PLAN).replace('"1.1"', '"2.0"'), "MLP1202"),
        (plan_json.render(PLAN).replace("0.5", "0.6"), "MLP1203"),
        ('{"format_version": "1.0", "resource_changes": NaN}', "MLP1203"),
        (_edited(resource_changes=[{}]), "MLP1201"),
        (_edited(resource_changes=3), "MLP1201"),
        (_edited(lineage=None, resource_drift=None), "MLP1201"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        plan_from_json(text, file="plan.json")
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == code
    assert "plan.json" in diagnostic.detail
    assert diagnostic.hint


def test_an_action_that_nobody_knows_is_refused() -> None:
    entry = plan_json.document(PLAN)["resource_changes"][1]
    with pytest.raises(Refusal, match="unknown action: explode"):
        plan_from_json(_edited(resource_changes=[{**entry, "action": "explode"}], resource_drift=[]))


def test_every_cut_of_a_plan_file_is_refused() -> None:
    text = (Path(__file__).parents[2] / "golden" / "cases" / "losses" / "plan.json").read_text(encoding="utf-8")
    for end in range(0, len(text) - 2, 97):
        with pytest.raises(Refusal):
            plan_from_json(text[:end])
