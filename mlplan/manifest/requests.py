"""The files that a deployment's tests name: what is in them, and what is wrong with it, each thing with its place.

A `request` is one JSON value. `requests` are golden ones, as JSON lines or one JSON list of {"request": body,
"expect": answer, "tolerance": 1e-6, "name": text}, of which only `request` is needed; records that a service has
collected are taken as well. When these files are read: `contents.py`; how they are asked:
`kinds/deployment/golden.py`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from mlplan.codes import Code
from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.source import Source, Span

FIELDS = ("request", "expect", "tolerance", "name")
"""What a golden request may have. A collected record has `input` in place of `request`, and fields of its own."""

MOST = 20
"""How many problems of a file are shown; the others are counted."""

EXAMPLE = '{"request": {"data": [[1, 2]]}, "expect": [3], "tolerance": 1e-6}'
_ONE_A_LINE = f"Write one request a line, or all of them as one JSON list:\n\n    {EXAMPLE}"

_OTHER_LINE_BREAKS = {ord(char): "\ufffd" for char in "\r\x85\u2028\u2029"}
"""A place counts lines by line feeds, as JSON lines do; where it is shown, these must not count either."""

_SPACE = re.compile(r"[ \t\r\n]*")


class GoldenFile(NamedTuple):
    """A file of golden requests."""

    items: list[dict[str, Any]]  # in its order; the malformed ones left out
    problems: list[Diagnostic]
    source: Source  # what the problems point into


def read_golden(data: bytes, file: str) -> GoldenFile:
    """The golden requests in a file's content, and all that is wrong with it. `file` is its name as it is shown."""
    text, problems = _decoded(data, file, codes.MLP3411)
    page = _Page(file, text)
    items: list[dict[str, Any]] = []
    malformed: list[Diagnostic] = []
    try:
        for entry in () if problems else _entries(page):
            found = list(_malformed(entry, page)) if isinstance(entry, _Entry) else [entry]
            malformed += found
            if not found and isinstance(entry, _Entry):
                items.append(entry.value)
    except RecursionError:
        problems = [page.problem(codes.MLP3411, 0, "It is nested too deeply.", _ONE_A_LINE, "nested too deeply")]
    if not (items or malformed or problems):
        detail = "There is no request in it, so a new service would be asked nothing."
        problems = [page.problem(codes.MLP3411, 0, detail, _ONE_A_LINE, "no request")]
    return GoldenFile(items, [*problems, *_bounded(malformed)], page.source())


def read_request(data: bytes, file: str) -> tuple[list[Diagnostic], Source]:
    """What is wrong with a file that holds the body of one request; nothing where it is JSON."""
    text, problems = _decoded(data, file, codes.MLP3413)
    page = _Page(file, text)
    if not problems:
        hint = 'Write the body of one request as JSON, such as {"data": [[1, 2]]}.'
        try:
            _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            at, why = _place_and_reason(error, text)
            if text[:at].strip() and text[at:].strip() and why == "Extra data":
                hint = "A file with many requests is named by `requests`, not by `request`."
            problems = [page.problem(codes.MLP3413, at, f"It isn't JSON: {why}.", hint, "no JSON")]
    return problems, page.source()


# -- places ----------------------------------------------------------------------------------------------------------


class _Page:
    """A file's text, and where in it something stands."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._ends: list[int] = []  # of all lines

    def span(self, start: int, end: int) -> Span:
        """From one offset to another, as far as that is on one line."""
        if not self._ends:
            self._ends = [*(found.start() for found in re.finditer("\n", self.text)), len(self.text)]
        line = bisect_left(self._ends, start)
        column = start - (self._ends[line - 1] + 1 if line else 0) + 1
        width = max(min(end, self._ends[line]) - start, 0)
        return Span(self.file, line + 1, column, line + 1, column + width)

    def problem(
        self, code: Code, at: int, detail: str, hint: str, mark: str, *, end: int | None = None
    ) -> Diagnostic:
        """Something wrong at an offset, or from there to another."""
        return code.diagnostic(detail, hint=hint, labels=[Label(self.span(at, at + 1 if end is None else end), mark)])

    def source(self) -> Source:
        """The text as it is shown, line by line."""
        return Source(self.file, self.text.translate(_OTHER_LINE_BREAKS))


def _decoded(data: bytes, file: str, code: Code) -> tuple[str, list[Diagnostic]]:
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace")
        at = len(data[: error.start].decode("utf-8", "replace"))
        hint = "Save the file as UTF-8."
        return text, [_Page(file, text).problem(code, at, "The file isn't UTF-8.", hint, "not UTF-8")]


def _bounded(problems: list[Diagnostic]) -> list[Diagnostic]:
    """The first ones, and how many others there are."""
    if len(problems) <= MOST:
        return problems
    last = problems[MOST - 1]
    more = f"{last.detail} {len(problems) - MOST} more problems after it are not shown."
    return [*problems[: MOST - 1], last._replace(detail=more)]


# -- JSON ------------------------------------------------------------------------------------------------------------


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


class _Entry(NamedTuple):
    """One item of the file, and where it stands."""

    value: Any
    start: int
    end: int


def _entries(page: _Page) -> Iterator[_Entry | Diagnostic]:
    """The items of the file, as JSON lines or as one list; what is no JSON as a problem."""
    start = _after_space(page.text, 0)
    return _listed(page, start) if page.text.startswith("[", start) else _lines(page)


def _lines(page: _Page) -> Iterator[_Entry | Diagnostic]:
    at = 0
    for line in page.text.split("\n"):
        if line.strip(" \t\r"):
            try:
                yield _Entry(_DECODER.decode(line), _after_space(page.text, at), at + len(line.rstrip(" \t\r")))
            except ValueError as error:
                if _is_one_value(page.text):
                    detail = "It is one JSON value over several lines, and not one request a line."
                    start = _after_space(page.text, 0)
                    yield page.problem(codes.MLP3411, start, detail, _ONE_A_LINE, "goes on in the next line")
                    return
                column, why = _place_and_reason(error, line)
                detail = f"This line is not JSON: {why}."
                yield page.problem(codes.MLP3411, at + column, detail, _ONE_A_LINE, "no JSON")
        at += len(line) + 1


def _is_one_value(text: str) -> bool:
    try:
        _DECODER.decode(text)
    except ValueError:
        return False
    return True


def _listed(page: _Page, start: int) -> Iterator[_Entry | Diagnostic]:
    text = page.text
    try:
        at = _after_space(text, start + 1)
        while not text.startswith("]", at):
            value, end = _DECODER.raw_decode(text, at)
            yield _Entry(value, at, end)
            at = _after_space(text, end)
            if text.startswith(",", at):
                at = _after_space(text, at + 1)
                if text.startswith("]", at):
                    raise json.JSONDecodeError("Expecting value", text, at)
            elif not text.startswith("]", at):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _after_space(text, at + 1)
        if at < len(text):
            raise json.JSONDecodeError("Extra data", text, at)
    except ValueError as error:
        at, why = _place_and_reason(error, text)
        yield page.problem(codes.MLP3411, at, f"The list is not JSON: {why}.", _ONE_A_LINE, "no JSON")


def _members(text: str, start: int) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """The members of the object at an offset: each name, where that stands, and where the value stands."""
    at = _after_space(text, start + 1)
    while text.startswith('"', at):
        name, end = _DECODER.raw_decode(text, at)
        value = _after_space(text, _after_space(text, end) + 1)
        _, value_end = _DECODER.raw_decode(text, value)
        yield name, (at, end), (value, value_end)
        at = _after_space(text, value_end)
        at = _after_space(text, at + 1) if text.startswith(",", at) else at


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _place_and_reason(error: Exception, text: str) -> tuple[int, str]:
    """Where a text stops being JSON, and why."""
    if isinstance(error, json.JSONDecodeError):
        end_of_all = len(text.rstrip())  # where something is missing there, it isn't missed in the emptiness after it
        return min(error.pos, end_of_all), error.msg
    if isinstance(error, RecursionError):
        return 0, "it is nested too deeply"
    word = str(error).partition(" ")[0]
    return max(text.find(word), 0), str(error)


# -- what a golden request may be ------------------------------------------------------------------------------------


def _malformed(entry: _Entry, page: _Page) -> Iterator[Diagnostic]:
    """All that is wrong with one item."""
    value, start, end = entry
    if not isinstance(value, dict):
        detail = "A golden request is an object with a `request`."
        yield page.problem(
            codes.MLP3412, start, detail, f"Write it like this:\n\n    {EXAMPLE}", "no object", end=end
        )
        return
    is_record = "input" in value and "request" not in value
    unknown = [] if is_record else [name for name in value if name not in FIELDS]
    if "request" not in value and not is_record:
        yield _without_request(entry, unknown, page)
        return
    tolerance = value.get("tolerance", 0.0)
    is_number = isinstance(tolerance, (int, float)) and not isinstance(tolerance, bool)
    wrong = not is_number or tolerance < 0
    for name, at, held in _members(page.text, start) if unknown or wrong else ():
        if name in unknown:
            near = nearest(name, FIELDS)
            hint = f"Did you mean `{near}`?" if near else f"Delete it. There are: {', '.join(FIELDS)}."
            detail = f"A golden request has no field `{name}`, so it would have no effect."
            yield page.problem(codes.MLP3412, at[0], detail, hint, "unknown", end=at[1])
        if name == "tolerance" and wrong:
            detail = "How far apart two numbers may be is a number, 0 or more."
            hint = "Write the relative difference, such as 1e-6 or 0.01."
            yield page.problem(codes.MLP3412, held[0], detail, hint, "no tolerance", end=held[1])


def _without_request(entry: _Entry, unknown: list[str], page: _Page) -> Diagnostic:
    """Says that there is nothing to ask, and points at the field that may be meant."""
    detail = "It has no `request`, so there is nothing to ask."
    near = nearest("request", unknown)
    if near is None:
        hint = f'Put the body under "request":\n\n    {EXAMPLE}'
        if "data" in unknown:
            hint += "\n\nA file with the body of one request is named by `request`, not by `requests`."
        return page.problem(codes.MLP3412, entry.start, detail, hint, "no `request`", end=entry.end)
    start, end = next(at for name, at, _ in _members(page.text, entry.start) if name == near)
    return page.problem(codes.MLP3412, start, detail, "Did you mean `request`?", "not `request`", end=end)
