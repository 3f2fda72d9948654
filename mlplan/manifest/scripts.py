"""Whether Python can read a script. Nothing of it is executed, and only the script itself is looked at."""

from __future__ import annotations

import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label
from mlplan.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE_END = re.compile("\r\n?")
_OTHER_LINE_BREAKS = {ord(char): "\ufffd" for char in "\x85\u2028\u2029"}
"""Python doesn't count these as ends of lines; where a line is shown, they must not count either."""


def read_script(data: bytes, file: str, environment: Mapping[str, Any]) -> tuple[list[Diagnostic], Source]:
    """Why this Python can't read a script: an error, or a warning where it may be written for a newer Python.

    `file` is its name as it is shown, `environment` as the manifest has it.
    """
    text = _LINE_END.sub("\n", data.decode("utf-8-sig", "replace")).translate(_OTHER_LINE_BREAKS)
    source = Source(file, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is only doubtful is between the user and Python
            compile(data, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        span = _span(error, source)
        return [_unreadable(error.msg, span, environment)], source
    except ValueError as error:
        return [_unreadable(str(error), _span(SyntaxError(), source), environment)], source
    except (RecursionError, MemoryError, OverflowError):
        pass  # it is too large to be judged here
    return [], source


def _unreadable(reason: str, span: Span, environment: Mapping[str, Any]) -> Diagnostic:
    newer = _may_be_newer(environment)
    hint = 'Mend it. If it is written for a newer Python, say which: `environment: {python: "3.x"}`.'
    return codes.MLP3414.diagnostic(
        f"Python can't read it: {reason}.",
        hint="It was tried with the Python that runs mlplan. If that of its environment reads it, all is well."
        if newer
        else hint,
        labels=[Label(span, "can't be read")],
        severity="warning" if newer else None,
    )


def _may_be_newer(environment: Mapping[str, Any]) -> bool:
    """Whether the Python that runs it may be newer than this one; what a file says of it isn't looked up."""
    declared = re.fullmatch(r"3\.(\d+)(\.\d+)?", str(environment.get("python") or ""))
    if declared:
        return (3, int(declared[1])) > sys.version_info[:2]
    return bool(environment.get("file")) and not str(environment["file"]).endswith(".txt")


def _span(error: SyntaxError, source: Source) -> Span:
    """The place of an error, inside the file: Python names some places beyond it, or none."""
    lines = source.lines()
    line = min(max(error.lineno or 1, 1), len(lines))
    width = len(lines[line - 1])
    column = min(max(error.offset or 1, 1), width + 1)
    on_one_line = error.end_lineno == error.lineno and (error.end_offset or 0) > column
    end = min(error.end_offset or 0, width + 1) if on_one_line else column
    return Span(source.file, line, column, line, max(end, min(column + 1, width + 1)))
