"""The generated files are what the models say, and the schema accepts and refuses what mlplan does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlplan import resources
from mlplan.manifest import check, models, schema, specs

SCHEMA = json.loads(resources.read("schemas", "manifest.json"))


def test_what_is_committed_is_what_the_models_say() -> None:
    again = "run: python -m mlplan.manifest.schema"
    assert resources.read("schemas", "manifest.json") == schema.as_text(schema.manifest_schema()), again
    assert Path(specs.__file__).read_text(encoding="utf-8") == schema.spec_types(), again


def test_it_is_a_schema_of_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def _keywords(node: Any) -> set[str]:
    """The keywords of a schema that can be unmet."""
    if isinstance(node, list):
        return set().union(*map(_keywords, node))
    if not isinstance(node, dict):
        return set()
    found: set[str] = set()
    for key, value in node.items():
        if key in ("properties", "$defs"):
            found |= set().union(*map(_keywords, value.values()))
        elif key not in ("if", "default", schema.WITHOUT_EFFECT):
            found |= {key} | (set() if key == "dependentRequired" else _keywords(value))
    return found


def test_every_keyword_of_the_schema_has_its_diagnostic() -> None:
    words = {
        "$schema",
        "$id",
        "$ref",
        "description",
        "default",
        "items",
        "propertyNames",
        "allOf",
        "then",
        "else",
    } | {schema.WITHOUT_EFFECT}
    assert _keywords(SCHEMA) - words == set(check._BY_KEYWORD)


def test_every_field_is_described() -> None:
    bare = [
        f"{name}.{field}"
        for name, definition in SCHEMA["$defs"].items()
        for field, what in definition.get("properties", {}).items()
        if isinstance(what, dict) and "description" not in what
    ]
    assert bare == []


@pytest.mark.parametrize("kind", sorted(models.COMPUTES))
def test_fields_without_effect_exist(kind: str) -> None:
    fields = check.without_effect(kind)
    assert fields == models.compute_models()[kind].without_effect
    for path in fields:
        section, *steps = path.split(".")
        node = SCHEMA["$defs"][models.SECTIONS[section].__name__]
        for step in steps:
            node = node["properties"][step]
            node = SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")] if "$ref" in node else node


def _manifest(**sections: Any) -> dict[str, Any]:
    return {"version": 1, "project": "demo", **sections}


@pytest.mark.parametrize(
    "manifest",
    [
        _manifest(),
        _manifest(compute={"laptop": {"type": "local", "max_nodes": "${{ var.nodes }}"}}),
        _manifest(dataset={"d": {"source": "data.csv", "tags": {"n": 1, "b": True, "t": "x"}}}),
        _manifest(dataset={"d": {"source": ["https://example.org/a", "b/*.csv"], "protect": "${{ var.p }}"}}),
        _manifest(run={"r": {"compute": "c", "command": ["echo", 1, 0.5, True]}}),
        _manifest(run={"r": {"compute": "${{ var.c }}", "script": "x.py", "timeout": "${{ var.h }}h"}}),
        _manifest(profiles={"p": {"run": {"r": {"timeout": "2h"}}, "compute": {"laptop": {"max_nodes": 3}}}}),
        _manifest(moved=[{"from": "run.a", "to": "run.b"}]),
    ],
)
def test_accepts(manifest: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(manifest)


@pytest.mark.parametrize(
    ("manifest", "keyword"),
    [
        ({"version": 1}, "required"),
        (_manifest(version=2), "const"),
        (_manifest(compute={"laptop": {"type": "local", "max_nodes": "two"}}), "pattern"),
        (_manifest(compute={"laptop": {"type": "local", "max_nodes": "${{ var.n }}0"}}), "pattern"),
        (_manifest(compute={"laptop": {"type": "nowhere"}}), "enum"),
        (_manifest(compute={"laptop": {"type": "local", "image": "x"}}), "additionalProperties"),
        (_manifest(compute={"lap top": {"type": "local"}}), "pattern"),
        (_manifest(dataset={"d": {"source": []}}), "minItems"),
        (_manifest(dataset={"d": {"source": ""}}), "minLength"),
        (_manifest(dataset={"d": {"source": "x", "description": None}}), "type"),
        (_manifest(run={"r": {"compute": "c"}}), "oneOf"),
        (_manifest(run={"r": {"compute": "c", "command": ["x"], "arguments": ["y"]}}), "not"),
        (_manifest(model={"m": {"run": "r"}}), "dependentRequired"),
        (_manifest(profiles={"p": {"project": "other"}}), "additionalProperties"),
        (_manifest(profiles={"p": {"compute": {"laptop": {"max_node": 3}}}}), "additionalProperties"),
    ],
)
def test_refuses(manifest: dict[str, Any], keyword: str) -> None:
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(manifest))
    assert [error.validator for error in errors] == [keyword]
