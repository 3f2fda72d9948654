"""Makes `schemas/manifest.json` and `specs.py` of the models: `python -m mlplan.manifest.schema`.

A test fails while what is committed isn't what this makes. The schema differs from pydantic's own in four ways, so
that an editor says what mlplan says:

- an optional field may be left out, not `null`;
- where a reference may stand in for a number, a truth value, or text of a fixed form, `${{ ... }}` is accepted;
- a compute is checked against the model that its `type` selects;
- a profile holds parts of the manifest: the same fields, none of them required.

Beyond that, each compute type says which fields of runs and deployments it can't honour, so that checking them needs
no model.
"""

from __future__ import annotations

import json
import types
import typing
from typing import Any, Literal

from pydantic import BaseModel

from mlplan import resources
from mlplan.manifest import models

Schema = dict[str, Any]

REFERENCE = r"^\$\{\{[^{}]*\}\}$"
"""A value that is one reference and nothing else."""
WITHOUT_EFFECT = "x-without-effect"
"""In the schema of a compute type: the fields that it can't honour, and why. To validators an unknown word."""
_OVERLAID = ("workspace", "variables", "compute", "dataset", "run", "model", "inference", "deployment")
_WHOLE = ("required", "oneOf", "not", "dependentRequired")


def manifest_schema() -> Schema:
    """The JSON Schema of `mlplan.yaml`, draft 2020-12."""
    made = models.ManifestFile.model_json_schema()
    defs = made.pop("$defs")
    for name, model in models.compute_models().items():
        own = model.model_json_schema()
        own[WITHOUT_EFFECT] = model.without_effect
        defs.update(own.pop("$defs", {}))
        defs[_compute_def(name)] = own
    defs = {name: _simplified(definition) for name, definition in defs.items() if name != "Profile"}
    defs["ComputeBase"] = _compute(list(models.COMPUTES), defs)
    root = _simplified(made)
    _admit_references(root, defs)
    _add_profiles(root, defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mlplan:schema:manifest:1",
        **root,
        "$defs": {("Compute" if name == "ComputeBase" else name): defs[name] for name in sorted(defs)},
    }


def _compute_def(name: str) -> str:
    return f"{name.title()}Compute"


def _simplified(schema: Schema) -> Schema:
    """A schema without pydantic's titles, nulls and patterns of keys."""
    made: Schema = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and value is None):
            continue
        if key == "properties":
            made[key] = {name: _simplified(inner) for name, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            made[key] = _simplified(value)
        elif key == "patternProperties":
            ((pattern, inner),) = value.items()
            made["additionalProperties"] = _simplified(inner)
            made["propertyNames"] = {"pattern": pattern}
        elif key == "anyOf":
            (only,) = [branch for branch in value if branch != {"type": "null"}]
            made.update(_simplified(only))
        elif key == "default" and isinstance(value, dict):
            made[key] = {}
        elif key == "$ref":
            made[key] = value.replace("ComputeBase", "Compute")
        else:
            made[key] = value
    return made


def _compute_union(names: list[str], *, required: bool, suffix: str = "") -> Schema:
    """Selects by `type`; a schema that says `oneOf` would report every branch."""
    union: Schema = {
        "description": models.ComputeBase.__doc__,
        "type": "object",
        "properties": {"type": {"description": "Which kind of compute this is.", "enum": names}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/$defs/{_compute_def(name)}{suffix}"},
            }
            for name in names
        ],
    }
    return {**union, "required": ["type"]} if required else union


def _compute(names: list[str], defs: dict[str, Schema]) -> Schema:
    """A compute. Where no type that is known tells its keys, those of any type will do."""
    union = _compute_union(names, required=True)
    of_a_known_type = {"properties": {"type": {"enum": names}}, "required": ["type"]}
    of_any_type = {"properties": _keys_of_any(names, defs), "additionalProperties": False}
    return {**union, "allOf": [*union["allOf"], {"if": of_a_known_type, "else": of_any_type}]}


def _keys_of_any(names: list[str], defs: dict[str, Schema]) -> Schema:
    return {key: True for name in names for key in defs[_compute_def(name)]["properties"]}


def _compute_overlay(names: list[str], defs: dict[str, Schema]) -> Schema:
    """A part of a compute: its keys are those of any type, since its own type may stand in what it is laid over."""
    union = _compute_union(names, required=False, suffix="Overlay")
    keys = _keys_of_any(names, defs)
    return {**union, "properties": {**keys, **union["properties"]}, "additionalProperties": False}


def _admit_references(root: Schema, defs: dict[str, Schema]) -> None:
    """Lets `${{ }}` stand wherever resolving fills it in."""
    for name, definition in defs.items():
        if name not in ("Variable", "Moved", "ComputeBase"):
            keep = {"type"} if name.endswith("Compute") else set()
            _admit_in_properties(definition, keep)
    _admit_in_properties(root, {"version"})


def _admit_in_properties(schema: Schema, keep: set[str]) -> None:
    for name, inner in schema.get("properties", {}).items():
        if name not in keep:
            schema["properties"][name] = _admitting(inner)


def _admitting(schema: Schema) -> Schema:
    made = dict(schema)
    if "items" in made:
        made["items"] = _admitting(made["items"])
    if made.get("type") in ("integer", "number", "boolean"):
        made["type"] = [made["type"], "string"]
        made["pattern"] = REFERENCE
    elif "enum" in made:
        made["anyOf"] = [{"enum": made.pop("enum")}, {"type": "string", "pattern": REFERENCE}]
        made.pop("type", None)
    elif "pattern" in made:
        made["pattern"] = rf"{made['pattern']}|\$\{{\{{.*\}}\}}"
    return made


def _add_profiles(root: Schema, defs: dict[str, Schema]) -> None:
    """Adds the overlay of every definition, and the profile that is made of them."""
    for name in [name for name in defs if name not in ("ComputeBase", "Moved", "ManifestFile")]:
        overlay = {key: value for key, value in defs[name].items() if key not in _WHOLE}
        defs[f"{name}Overlay"] = _with_overlays(overlay)
    defs["ComputeOverlay"] = _compute_overlay(list(models.COMPUTES), defs)
    defs["Profile"] = {
        "description": models.Profile.__doc__,
        "type": "object",
        "properties": {name: _with_overlays(root["properties"][name]) for name in _OVERLAID},
        "additionalProperties": False,
    }


def _with_overlays(schema: Any) -> Any:
    """The schema with each reference to a definition turned to the definition's overlay."""
    if isinstance(schema, dict):
        return {
            key: f"{value}Overlay" if key == "$ref" else _with_overlays(value)
            for key, value in schema.items()
            if key != "default"
        }
    return schema


def spec_types() -> str:
    """The text of `specs.py`: a TypedDict for each resolved spec."""
    out: dict[str, str] = {}
    computes = models.compute_models()
    for name, compute in computes.items():
        _spec_type(compute, f"{_compute_def(name)}Spec", out)
    for section in models.SECTIONS.values():
        _spec_type(section, f"{section.__name__}Spec", out)
    union = " | ".join(f"{_compute_def(name)}Spec" for name in computes)
    return (
        '"""The resolved specs as types. Made by `python -m mlplan.manifest.schema` of `models.py`: don\'t edit.\n\n'
        "Imported under TYPE_CHECKING alone: at run time a spec is a plain dict with every field filled in.\n"
        'Durations and sizes are kept as written; `quantities.py` reads them.\n"""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import Literal, TypedDict\n\n"
        "from mlplan.json_types import Json\n\n\n" + "\n\n\n".join(out.values()) + f"\n\n\nComputeSpec = {union}\n"
    )


def _spec_type(model: type[BaseModel], name: str, out: dict[str, str]) -> None:
    hints = typing.get_type_hints(model)
    lines = [f"class {name}(TypedDict):", f'    """{model.__doc__}"""', ""]
    for field, info in model.model_fields.items():
        lines.append(f"    {field}: {_annotation(hints[field], out)}")
        lines += [f'    """{info.description}"""']
    out[name] = "\n".join(lines)


def _annotation(hint: Any, out: dict[str, str]) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return "Json"
    if hint is type(None):
        return "None"
    if origin is Literal:
        return f"Literal[{', '.join(json.dumps(arg) for arg in args)}]"
    if origin in (list, dict):
        return f"{origin.__name__}[{', '.join(_annotation(arg, out) for arg in args)}]"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_annotation(arg, out) for arg in args)
    if issubclass(hint, BaseModel):
        name = f"{hint.__name__}Spec"
        if name not in out:
            _spec_type(hint, name, out)
        return name
    return str(hint.__name__)


def as_text(schema: Schema) -> str:
    """A schema as it is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes both files."""
    import os

    with open(os.path.join(resources.folder("schemas"), "manifest.json"), "w", encoding="utf-8") as stream:
        stream.write(as_text(manifest_schema()))
    with open(os.path.join(os.path.dirname(__file__), "specs.py"), "w", encoding="utf-8") as stream:
        stream.write(spec_types())


if __name__ == "__main__":
    main()
