"""The template engine: Jinja2, strict, and with no way to print a value that isn't escaped for its place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlplan.codes import render as codes
from mlplan.errors import Refusal
from mlplan.render.escape import FILTERS, Escaped
from mlplan.resources import folder

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, /, **values: Any) -> str:
    """The text of `templates/<template>` with these values.

    Raises: Refusal (MLP6002) where a value can't stand in its place. A template that prints an unescaped value, or
    names one that isn't given, is a bug of ours and raises what Jinja2 raises.
    """
    try:
        return _environment().get_template(template).render(**values)
    except ValueError as error:
        raise Refusal(
            [
                codes.MLP6002.diagnostic(
                    f"{template} can't be rendered: {error}.",
                    hint="Change that value in the manifest.",
                )
            ]
        ) from error


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder("templates")),
        undefined=StrictUndefined,
        finalize=_only_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    environment.filters = dict(FILTERS)
    return environment


def _only_escaped(value: Any) -> Escaped:
    if not isinstance(value, Escaped):
        raise TypeError(f"a template prints {value!r} without a filter that escapes it for its place")
    return value
