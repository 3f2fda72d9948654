"""Makes `schemas/plan.json`, `events.json` and `state.json` of `shapes/`: `python -m mlplan.views.schema`.

A test fails while what is committed isn't what this makes.
"""

from __future__ import annotations

import json
import os
from typing import Any

from pydantic import BaseModel

from mlplan import resources
from mlplan.views.shapes import events, plan, state

Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """The schemas by name."""
    return {
        "plan": _published("plan", _of(plan.PlanShape)),
        "events": _published("events", _events()),
        "state": _published("state", _state()),
    }


def _of(model: type[BaseModel]) -> Schema:
    made: Schema = _tidy(model.model_json_schema(mode="serialization"))
    return made


def _published(name: str, made: Schema) -> Schema:
    definitions = made.pop("$defs", {})
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:mlplan:schema:{name}:1"}
    return {**head, **made, "$defs": {key: definitions[key] for key in sorted(definitions)}}


def _events() -> Schema:
    """One line: which of the shapes, is told by its `type`."""
    definitions: Schema = {}
    for model in events.EVENT_SHAPES:
        made = _of(model)
        definitions.update(made.pop("$defs", {}))
        definitions[model.__name__] = made
    return {
        "description": "One line of `mlplan apply --format json`.",
        "type": "object",
        "required": ["type"],
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in events.EVENT_SHAPES],
        "$defs": definitions,
    }


def _state() -> Schema:
    """What `show` prints; beside it, as `#/$defs/LogRecord`, the files of the log that it is folded from."""
    made, record = _of(state.StateShape), _of(state.LogRecord)
    made["$defs"].update(record.pop("$defs"))
    made["$defs"]["LogRecord"] = record
    return made


def _tidy(node: Any) -> Any:
    """A schema without pydantic's titles, and without the defaults that only say that a field may be missing."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _tidy(inner) for name, inner in value.items()} if key in ("properties", "$defs") else _tidy(value)
        for key, value in node.items()
        if key != "title" and not (key == "default" and value is None)
    }


def as_text(schema: Schema) -> str:
    """A schema as it is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes all of them."""
    for name, schema in schemas().items():
        with open(os.path.join(resources.folder("schemas"), f"{name}.json"), "w", encoding="utf-8") as stream:
            stream.write(as_text(schema))


if __name__ == "__main__":
    main()
