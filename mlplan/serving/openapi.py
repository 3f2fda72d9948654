"""The service's description for its clients: OpenAPI 3.1, and Swagger 2.0 for those that still read it.

The types of input and output come from the model itself, from the schema decorators of a script, or from a recorded
sample; where there is none of these, anything goes in and comes out.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from .oip import DATATYPES
from .oip_routes import served_models
from .schema import KEYS, Column, Schema
from .settings import Config

VERSIONS = {"3.1": "3.1", "3.1.0": "3.1", "3": "3.1", "2": "2.0", "2.0": "2.0"}
_OWN_FILES = {"3.1": ("swagger3.1.json", "swagger3.json"), "2.0": ("swagger.json", "swagger2.json")}
_REFUSALS = {
    "400": "The request is malformed, or doesn't fit the model.",
    "401": "The key is missing or wrong.",
    "408": "The request took too long to arrive.",
    "413": "The body is too large.",
    "415": "The body is not of the right content type.",
    "429": "Too many requests wait.",
    "431": "The header is too large.",
    "500": "The model failed.",
    "501": "The body comes in a transfer coding that is not known.",
    "503": "The service is not ready.",
    "504": "The model took too long.",
}


def document(config: Config, model: Any, version: str) -> dict[str, Any]:
    """The description in one of the VERSIONS: what lies in the app root for it, else what is known of the model."""
    for name in _OWN_FILES[version]:
        path = os.path.join(config.app_root, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as stream:
                return dict(json.load(stream))
    made = _openapi(config, model)
    return made if version == "3.1" else _swagger(made)


def _openapi(config: Config, model: Any) -> dict[str, Any]:
    schemas = {
        "ServiceInput": input_schema(config, model),
        **_rows_schemas(model),
        "ServiceOutput": output_schema(model),
        "ErrorResponse": _object({"message": {"type": "string"}, "request_id": {"type": "string"}}),
        "ProtocolError": _object({"error": {"type": "string"}}),
        **_PROTOCOL,
    }
    digest = config.settings.code_digest or config.digest
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": config.name or "ML service", "version": digest[:12] or "1.0"},
        "servers": [{"url": "/"}],
        "paths": _paths(config, model),
        "components": {"schemas": schemas},
    }
    if config.keys_file is not None:
        document["components"]["securitySchemes"] = {"Bearer": {"type": "http", "scheme": "bearer"}}
    return document


def _paths(config: Config, model: Any) -> dict[str, Any]:
    asked = {
        "operationId": "RunMLService",
        "summary": "Ask the model.",
        "requestBody": _body("ServiceInput"),
        "responses": _responses("ServiceOutput", "The model's answer."),
    }
    found: dict[str, Any] = {
        "/": {"get": _plain("ServiceHealthCheck", "Whether the service lives.")},
        "/health/live": {"get": _status("IsLive", "Whether the service lives.")},
        "/health/ready": {"get": _status("IsReady", "Whether the service takes requests.", "503")},
        "/score": {"post": asked},
        "/swagger.json": {"get": _description()},
        "/metrics": {"get": _plain("GetMetrics", "Counters in Prometheus' text format.")},
        "/v2": {"get": _known("GetServer", "What is served.")},
        "/v2/health/live": {"get": _known("IsServerLive", "Whether the service lives.")},
        "/v2/health/ready": {"get": _known("IsServerReady", "Whether the service takes requests.", "503")},
    }
    for served in served_models(config):
        base = f"/v2/models/{served.name}"
        found[base] = {"get": _known(f"GetModel-{served.name}", f"What {served.name} is.")}
        found[f"{base}/ready"] = {
            "get": _known(f"IsModelReady-{served.name}", f"Whether {served.name} is ready.", "503")
        }
        found[f"{base}/infer"] = {
            "post": {
                "operationId": f"Infer-{served.name}",
                "summary": f"Ask {served.name} by the Open Inference Protocol.",
                "requestBody": _body("InferenceRequest"),
                "responses": _responses("InferenceResponse", "The outputs.", error="ProtocolError"),
            }
        }
    if config.keys_file is not None:
        for path, methods in found.items():
            if path != "/" and "health" not in path:
                for operation in methods.values():
                    operation["security"] = [{"Bearer": []}]
    return found


def input_schema(config: Config, model: Any) -> dict[str, Any]:
    """The schema of a body for `/score`."""
    if getattr(model, "is_schema", False):
        return dict(sys.modules["inference_schema.schema_util"].get_input_schema(model.run))
    found = _asking_schema(model.methods) if hasattr(model, "methods") else {}
    if config.settings.sample is not None:
        found = {**found, "examples": [config.settings.sample]}
    return found


def rows_schema(schema: Schema, columns: Sequence[Column]) -> dict[str, Any]:
    """The schema of rows for an estimator, in any of their forms."""
    if schema.width is None:
        return {"type": "array", "minItems": 1}
    forms = _by_names(columns) if schema.names is not None else _by_places(columns)
    return {"anyOf": [_matrix(columns), *forms]}


def _matrix(columns: Sequence[Column]) -> dict[str, Any]:
    """Rows that are lists."""
    row = {"type": "array", "items": _any_cell(columns), "minItems": len(columns), "maxItems": len(columns)}
    if len({(column.is_text, column.takes_null) for column in columns}) > 1:
        row["prefixItems"] = [_cell(column) for column in columns]
    return {"type": "array", "minItems": 1, "items": row}


def _by_names(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Columns and data, records, and lists by column, of a model that knows its columns' names."""
    named = {"type": "array", "items": {"type": "string"}, "enum": [[column.name for column in columns]]}
    record = _object({column.name: _cell(column) for column in columns})
    lists = _object({column.name: _list_of(_cell(column)) for column in columns})
    return [
        _object({"columns": named, "data": _matrix(columns)}, more=True),
        {"type": "array", "minItems": 1, "items": record},
        {**lists, "description": _AS_LONG},
    ]


def _by_places(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The same under any names, in the model's order."""
    width = len(columns)
    size = {"minItems": width, "maxItems": width}
    texts = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, **size}
    lists = {"type": "object", "additionalProperties": _list_of(_any_cell(columns)), "description": _AS_LONG}
    return [
        _object({"columns": texts, "data": _matrix(columns)}, more=True),
        {**lists, "minProperties": width, "maxProperties": width},
    ]


def _list_of(cell: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": cell}


def _cell(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _kinds([column])}
    return {**found, "examples": [column.example]} if column.is_text else found


def _any_cell(columns: Sequence[Column]) -> dict[str, Any]:
    return {"type": _kinds(columns)}


def _kinds(columns: Sequence[Column]) -> list[str]:
    """The types of what may stand in these columns."""
    numbers = ["number", "boolean"] if any(not column.is_text for column in columns) else []
    texts = ["string"] if any(column.is_text for column in columns) else []
    return [*numbers, *texts, *(["null"] if any(column.takes_null for column in columns) else [])]


_AS_LONG = "All lists are of the same length."


def _asking_schema(methods: tuple[str, ...]) -> dict[str, Any]:
    """One member with the rows, and which method is asked."""
    rows = {"$ref": "#/components/schemas/Rows"}
    return {
        "type": "object",
        "properties": {"method": {"enum": list(methods)}, **dict.fromkeys(KEYS, rows)},
        "oneOf": [{"required": [key]} for key in KEYS],
    }


def _rows_schemas(model: Any) -> dict[str, Any]:
    schema = getattr(model, "schema", None)
    return {} if schema is None else {"Rows": rows_schema(schema, model.columns)}


def output_schema(model: Any) -> dict[str, Any]:
    """The schema of an answer of `/score`."""
    if getattr(model, "is_schema", False):
        return dict(sys.modules["inference_schema.schema_util"].get_output_schema(model.run))
    if hasattr(model, "methods"):
        listed = {"type": "array"}
        members = dict.fromkeys(model.methods, listed)
        return {"type": "object", "properties": members, "minProperties": 1, "maxProperties": 1}
    return {}


def _object(properties: dict[str, Any], *, more: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties, "required": list(properties)}
    return found if more else {**found, "additionalProperties": False}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _body(name: str) -> dict[str, Any]:
    return {"required": True, **_json({"$ref": f"#/components/schemas/{name}"})}


def _responses(answer: str, text: str, error: str = "ErrorResponse") -> dict[str, Any]:
    errors = {code: _error(why, error) for code, why in _REFUSALS.items()}
    return {"200": {"description": text, **_json({"$ref": f"#/components/schemas/{answer}"})}, **errors}


def _error(text: str, schema: str = "ErrorResponse") -> dict[str, Any]:
    return {"description": text, **_json({"$ref": f"#/components/schemas/{schema}"})}


def _errors(schema: str, *codes: str) -> dict[str, Any]:
    return {code: _error(_REFUSALS[code], schema) for code in ("400", "401", "408", "413", "431", "501", *codes)}


def _plain(operation: str, text: str) -> dict[str, Any]:
    answer = {"description": text, "content": {"text/html": {}, "text/plain": {}}}
    return {"operationId": operation, "summary": text, "responses": {"200": answer, **_errors("ErrorResponse")}}


def _status(operation: str, text: str, *codes: str) -> dict[str, Any]:
    answer = {"description": text, **_json(_object({"status": {"type": "string"}}))}
    others = {code: {**answer, "description": _REFUSALS[code]} for code in codes}
    return {
        "operationId": operation,
        "summary": text,
        "responses": {"200": answer, **_errors("ErrorResponse"), **others},
    }


def _known(operation: str, text: str, *codes: str) -> dict[str, Any]:
    answer = {"description": text, **_json({"type": "object"})}
    others = {code: {**answer, "description": _REFUSALS[code]} for code in codes}
    return {
        "operationId": operation,
        "summary": text,
        "responses": {"200": answer, **_errors("ProtocolError"), **others},
    }


def _description() -> dict[str, Any]:
    version = {"name": "version", "in": "query", "schema": {"enum": list(VERSIONS)}, "required": False}
    answer = {"description": "This document.", **_json({"type": "object"})}
    missing = _error("There is no such version.")
    return {
        "operationId": "GetSwaggerSpec",
        "summary": "What this service offers.",
        "parameters": [version],
        "responses": {"200": answer, "404": missing, **_errors("ErrorResponse")},
    }


_TENSOR = {
    "name": {"type": "string"},
    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
    "datatype": {"enum": list(DATATYPES)},
    "data": {"type": "array"},
}
_PROTOCOL: dict[str, Any] = {
    "InferenceRequest": {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": {},
            "inputs": {"type": "array", "minItems": 1, "items": _object(_TENSOR, more=True)},
            "outputs": {"type": "array", "items": _object({"name": {"type": "string"}}, more=True)},
        },
    },
    "InferenceResponse": {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "outputs": {"type": "array", "items": _object(_TENSOR, more=True)},
        },
    },
}


def _swagger(made: dict[str, Any]) -> dict[str, Any]:
    """The same in Swagger 2.0, whose schemas know less."""
    found: dict[str, Any] = {
        "swagger": "2.0",
        "info": made["info"],
        "schemes": ["http", "https"],
        "consumes": ["application/json"],
        "produces": ["application/json", "text/plain", "text/html"],
        "paths": {},
        "definitions": {name: _older(schema) for name, schema in made["components"]["schemas"].items()},
    }
    if "securitySchemes" in made["components"]:
        found["securityDefinitions"] = {"Bearer": {"type": "apiKey", "name": "Authorization", "in": "header"}}
    for path, methods in made["paths"].items():
        found["paths"][path] = {method: _older_operation(operation) for method, operation in methods.items()}
    return found


def _older_operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: operation[name] for name in ("operationId", "summary", "security") if name in operation
    }
    parameters = [
        {"name": item["name"], "in": item["in"], "required": item["required"], "type": "string"}
        for item in operation.get("parameters", [])
    ]
    if "requestBody" in operation:
        schema = _older(operation["requestBody"]["content"]["application/json"]["schema"])
        parameters.append({"name": "serviceInputPayload", "in": "body", "required": True, "schema": schema})
    responses: dict[str, Any] = {}
    for code, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        schema = {"schema": _older(content["schema"])} if content else {}
        responses[code] = {"description": response["description"], **schema}
    return {**kept, **({"parameters": parameters} if parameters else {}), "responses": responses}


def _older(schema: Any) -> Any:
    """A schema without what Swagger 2.0 doesn't know: choices become anything of the kind."""
    if isinstance(schema, list):
        return [_older(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        reference = str(schema["$ref"])
        return {"$ref": reference.replace("components/schemas", "definitions")}
    found = {name: _older(value) for name, value in schema.items() if name not in _UNKNOWN}
    if isinstance(found.get("type"), list):
        del found["type"]
    if "examples" in schema:
        found["example"] = schema["examples"][0]
    return found


_UNKNOWN = ("anyOf", "oneOf", "examples", "prefixItems")
