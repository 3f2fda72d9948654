"""How values, and what is asked of them, are called in messages about the schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlplan.manifest.nodes import Items, Mapping, Node, Path, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

Schema = dict[str, Any]

_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a mapping",
}  # fmt: skip
_FORMS = (
    (r"^([0-9]+(\.[0-9]+)?(ms|", "a duration with its unit", "90s, 2h or 1h30m"),
    (r"^[0-9]+(\.[0-9]+)?(B|", "a size with its unit", "512Mi or 2Gi"),
    (r"^((s3|", "a folder or a bucket", ".mlplan, s3://bucket/prefix, az://container/prefix or gs://bucket/prefix"),
    (r"^3\.", "a version of Python 3, in quotes", '"3.11"'),
    (r"\.(txt|", "a requirements.txt, a pyproject.toml or a conda file", "requirements.txt or conda.yml"),
    (r"^[A-Za-z0-9_-]{1,64}(:", "a model's name, with a version or without", "mymodel or mymodel:3"),
    (r"^[A-Za-z0-9_-]{1,64}$", "a name of letters, digits, `-` and `_`", "my-name"),
)
_YES_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def name(path: Path) -> str:
    """The value at a path: `port`, `arguments[2]`."""
    if path and isinstance(path[-1], int):
        return f"{name(path[:-1])}[{path[-1]}]"
    return str(path[-1]) if path else "manifest"


def found(node: Node) -> str:
    """What is written: `the text "abc"`, `a list`."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return f"the truth value {node.text}"
    if isinstance(node.value, str):
        return f"the text {_shown(node)}"
    return f"the number {node.text}"


def _shown(node: Scalar) -> str:
    text = node.text.splitlines()[0] if node.text else ""
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'


def expected(schema: Schema) -> str:
    """What a schema asks for: `a whole number`, `a duration with its unit`."""
    types = schema.get("type", [])
    wanted = [types] if isinstance(types, str) else types
    if wanted == ["string"] and "pattern" in schema:
        return form(schema["pattern"])[0]
    if "string" in wanted and "number" in wanted:
        return "text"
    if "string" in wanted and len(wanted) > 1 and "array" not in wanted:
        wanted = [kind for kind in wanted if kind != "string"]  # text is accepted for references alone
    return " or ".join(_TYPES[kind] for kind in wanted)


def form(pattern: str) -> tuple[str, str]:
    """What a pattern asks for in words, and an example."""
    for start, words, example in _FORMS:
        if pattern.startswith(start):
            return words, example
    return "of another form", pattern


def name_form(pattern: str, name: str) -> tuple[str, str]:
    """What names have to be like where this pattern holds, and such a name near to the given one, or ""."""
    if pattern.startswith("^[A-Za-z_]"):
        near = re.sub(r"[^A-Za-z0-9_]+", "_", name).lstrip("0123456789")
        words = "Names of environment variables hold letters, digits and `_`, and begin with no digit."
        return words, near if near.strip("_") else ""
    near = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:64]
    return "Names hold letters, digits, `-` and `_`, at most 64 of them.", near


def bounds(schema: Schema) -> str:
    """Which numbers a schema allows."""
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if above is not None:
        return f"more than {above:g}"
    return f"from {low} to {high}" if high is not None else f"at least {low}"


def type_hint(node: Node, schema: Schema) -> str:
    """What to do about a value of the wrong type."""
    if isinstance(node, Scalar):
        return _scalar_hint(node, schema)
    wanted = expected(schema)
    if isinstance(node, Items) and wanted == "a mapping":
        return "Write `key: value` lines, without the dashes."
    if isinstance(node, Mapping) and wanted == "a list":
        return "Start each item with a dash."
    return ""


def _scalar_hint(node: Scalar, schema: Schema) -> str:
    wanted = expected(schema)
    if node.value is None:
        return "Write a value, or delete the key."
    if schema.get("type") == "string":
        if "pattern" in schema and not re.search(schema["pattern"], node.text):
            return f"Write it like this: {form(schema['pattern'])[1]}."
        return f'Quote it: "{node.text}".'
    if wanted == "true or false" and node.text.lower() in _YES_NO:
        return f"Write {_YES_NO[node.text.lower()]}: `{node.text}` is text in YAML 1.2."
    if wanted == "a list":
        return f"Write it as a list: [{node.text}]."
    if wanted == "a number" and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", node.text):
        return f"Write it without quotes: {node.text}."
    if wanted == "a whole number" and re.fullmatch(r"[-+]?[0-9]+", node.text):
        return f"Write it without quotes: {node.text}."
    return ""


def unfit(problem: MappingType[str, Any]) -> str:
    """What pydantic asks of a filled-in value, in the words that the schema's errors have."""
    context = problem.get("ctx", {})
    kind = str(problem["type"])
    if kind == "string_pattern_mismatch":
        return form(context["pattern"])[0]
    if kind.startswith("literal"):
        return str(context["expected"]).replace("'", "`")
    for start, words in _UNFIT:
        if kind.startswith(start):
            return words.format(**context)
    return str(problem["msg"]).lower()


_UNFIT = (
    ("int_", "a whole number"), ("float_", "a number"), ("bool_", "true or false"), ("string_type", "text"),
    ("greater_than_equal", "at least {ge}"), ("greater_than", "more than {gt}"), ("less_than_equal", "at most {le}"),
    ("string_too_short", "text that isn't empty"), ("list_", "a list"), ("dict_", "a mapping"),
)  # fmt: skip
