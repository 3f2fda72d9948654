"""JSON and YAML files by value: what they say, whatever way they say it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NoReturn

from mlplan.codes import state as codes
from mlplan.diagnostics import Label
from mlplan.errors import Refusal
from mlplan.source import Span

if TYPE_CHECKING:
    from mlplan.json_types import Json


def parse(content: bytes, path: str) -> Json:
    """The value of a file's content: YAML where its name ends in .yaml or .yml, JSON otherwise.

    Dates and the like become their text, keys become strings. Raises: Refusal MLP4206.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(path, 1, 1, f"it isn't UTF-8 (byte {error.start})")
    return _yaml(text, path) if path.endswith((".yaml", ".yml")) else _json(text, path)


def _json(text: str, path: str) -> Json:
    def no_number(word: str) -> NoReturn:
        raise ValueError(f"{word} is no JSON number")

    try:
        value: Json = json.loads(text, parse_constant=no_number)
    except json.JSONDecodeError as error:
        _refuse(path, error.lineno, error.colno, error.msg)
    except (ValueError, RecursionError) as error:
        _refuse(path, 1, 1, str(error))
    return value


def _yaml(text: str, path: str) -> Json:
    import yaml

    try:
        return _plain(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        _refuse(path, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, error.problem or "not YAML")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        _refuse(path, 1, 1, str(error).splitlines()[0])


def _plain(value: object) -> Json:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _refuse(path: str, line: int, column: int, problem: str) -> NoReturn:
    place = Label(Span(path, line, column, line, column + 1), problem)
    detail = f"{path}:{line}:{column}: {problem}."
    raise Refusal([codes.MLP4206.diagnostic(detail, hint="correct the file at that place", labels=[place])])
