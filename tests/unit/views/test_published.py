"""The committed schemas are what the shapes say, and what mlplan writes is of them: no more, no less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlplan import resources
from mlplan.views import schema
from mlplan.views.records import state_overview

GOLDEN = Path(__file__).parents[2] / "golden"
NAMES = ("events", "plan", "state")


def _read(name: str) -> Any:
    return json.loads(resources.read("schemas", f"{name}.json"))


def _closed(node: Any) -> Any:
    """The schema with each object closed: readers may meet fields of a later version, mlplan may not write others."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _closed(value) for key, value in node.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _validator(name: str, pointer: str = "") -> jsonschema.Draft202012Validator:
    read = _closed(_read(name))
    return jsonschema.Draft202012Validator({"$ref": pointer, "$defs": read["$defs"]} if pointer else read)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_the_shapes_say(name: str) -> None:
    again = "run: python -m mlplan.views.schema"
    assert resources.read("schemas", f"{name}.json") == schema.as_text(schema.schemas()[name]), again


@pytest.mark.parametrize("name", NAMES)
def test_they_are_schemas_of_draft_2020_12(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(_read(name))


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("cases/*/plan.json")), ids=lambda file: file.parent.name)
def test_every_golden_plan_is_of_the_schema(file: Path) -> None:
    _validator("plan").validate(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("events/*/events.jsonl")), ids=lambda file: file.parent.name)
def test_every_golden_event_is_of_the_schema(file: Path) -> None:
    validator = _validator("events")
    for row in file.read_text(encoding="utf-8").splitlines():
        validator.validate(json.loads(row))


def test_a_field_too_many_or_too_few_is_noticed() -> None:
    plan = json.loads((GOLDEN / "cases" / "losses" / "plan.json").read_text(encoding="utf-8"))
    validator = _validator("plan")
    assert not validator.is_valid({**plan, "surprise": 1})
    assert not validator.is_valid({name: value for name, value in plan.items() if name != "serial"})
    assert not _validator("events").is_valid(
        {"type": "change_started", "sequence": 1, "time": "t", "address": "run.a"}
    )


def test_the_log_is_of_the_schema() -> None:
    record = json.loads((GOLDEN / "state" / "v1-everything.in.json").read_text(encoding="utf-8"))
    _validator("state", "#/$defs/LogRecord").validate(record)


def test_what_show_prints_is_of_the_schema() -> None:
    from mlplan.address import Address
    from mlplan.fingerprint import Part
    from mlplan.state.records import EMPTY, Recorded

    train = Address("run", "train")
    recorded = Recorded(train, {"--alpha": Part("result", "1" * 64, 0.5)}, {"id": "train-1"}, False, 3)
    state = EMPTY._replace(serial=3, lineage="l", project="p", resources={train: recorded})
    _validator("state").validate(json.loads(state_overview(state, form="json")))
    _validator("state").validate(json.loads(state_overview(EMPTY, form="json")))
