"""Files of test requests: what is taken, and where what is wrong stands. How it is said: `tests/golden/broken/`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplan.address import Address
from mlplan.manifest.contents import look_into
from mlplan.manifest.files import RealDisk
from mlplan.manifest.requests import read_golden, read_request
from mlplan.source import Span

GOLDEN = b'{"request": {"data": [[1]]}, "expect": [2], "name": "one"}\n\n{"request": 7, "tolerance": 0.5}\r\n'
ITEMS = [{"request": {"data": [[1]]}, "expect": [2], "name": "one"}, {"request": 7, "tolerance": 0.5}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOLDEN, id="lines"),
        pytest.param(b"\xef\xbb\xbf" + GOLDEN, id="with a mark of order"),
        pytest.param(json.dumps(ITEMS).encode(), id="a list on one line"),
        pytest.param(b"\n" + json.dumps(ITEMS, indent=2).encode() + b"\n", id="a list over several lines"),
    ],
)
def test_a_file_of_requests_is_lines_or_a_list(data: bytes) -> None:
    assert read_golden(data, "golden.jsonl")[:2] == (ITEMS, [])


def test_a_record_has_fields_of_its_own() -> None:
    record = {"time": "2026-01-01T00:00:00.000Z", "request_id": "r1", "input": {"data": [1]}, "output": [2]}
    assert read_golden(json.dumps(record).encode(), "kept.jsonl")[:2] == ([record], [])


def test_a_line_ends_at_a_line_feed_alone() -> None:
    text = '{"request": "a\u2028b\x85c"}\n{"reqest": 1}'
    items, (problem,), source = read_golden(text.encode(), "golden.jsonl")
    assert items == [{"request": "a\u2028b\x85c"}]
    assert problem.span == Span("golden.jsonl", 2, 2, 2, 10)
    assert source.lines()[1] == '{"reqest": 1}'


@given(st.binary(max_size=80) | st.text(alphabet='[]{}",:1nulNa \n\r\u2028request\\', max_size=80).map(str.encode))
def test_any_bytes_give_requests_or_problems_inside_the_file(data: bytes) -> None:
    items, problems, source = read_golden(data, "golden.jsonl")
    assert items or problems
    lines = source.lines()
    for problem in [*problems, *read_request(data, "golden.jsonl")[0]]:
        assert problem.span is not None
        assert 1 <= problem.span.line <= len(lines)
        assert 1 <= problem.span.column <= problem.span.end_column <= len(lines[problem.span.line - 1]) + 1


def test_deep_nesting_is_a_problem_and_no_crash() -> None:
    deep = b"[" * 100_000
    assert [problem.code for problem in read_golden(b'{"request": ' + deep, "g").problems] == ["MLP3411"]
    assert [problem.code for problem in read_request(deep, "g")[0]] == ["MLP3413"]


class CountingDisk(RealDisk):
    """Counts what is read."""

    reads = 0

    def read(self, path: str) -> bytes:
        type(self).reads += 1
        return super().read(path)


def look(project: Path) -> tuple[Any, int]:
    tests = [{"request": "one.json", "requests": None}, {"request": None, "requests": "golden.jsonl"}]
    place = Span("mlplan.yaml", 1, 1, 1, 2)
    CountingDisk.reads = 0
    disk = CountingDisk(str(project))
    specs = {Address("deployment", name): {"test": tests} for name in ("one", "two")}
    return look_into(specs, disk, lambda address, field: place, str(project / "cache")), CountingDisk.reads


def test_a_file_that_is_right_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 2**62)  # long after they were written
    (tmp_path / "one.json").write_text("[1]")
    (tmp_path / "golden.jsonl").write_bytes(GOLDEN)
    assert look(tmp_path) == (({"golden.jsonl": 2}, [], []), 2)
    assert look(tmp_path) == (({"golden.jsonl": 2}, [], []), 0)
    (tmp_path / "golden.jsonl").write_text('{"request": 1}')
    assert look(tmp_path) == (({"golden.jsonl": 1}, [], []), 1)


def test_a_file_that_is_wrong_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 2**62)
    (tmp_path / "one.json").write_text("[1]")
    (tmp_path / "golden.jsonl").write_text("{}")
    assert [look(tmp_path)[1] for _ in range(2)] == [2, 1]
    found = look(tmp_path)[0]
    assert [(problem.code, problem.address) for problem in found.problems] == [("MLP3412", ("deployment", "one"))]
    assert [source.file for source in found.sources] == ["golden.jsonl"]


def test_a_file_that_was_written_just_now_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.json").write_text("[1]")
    (tmp_path / "golden.jsonl").write_bytes(GOLDEN)
    monkeypatch.setattr("time.time_ns", lambda: os.stat(tmp_path / "golden.jsonl").st_ctime_ns)
    assert [look(tmp_path)[1] for _ in range(2)] == [2, 2]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": [1], "files": {"a": 1}}'])
def test_a_damaged_memory_counts_as_none(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("[1]")
    (tmp_path / "golden.jsonl").write_bytes(GOLDEN)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "contents.json").write_bytes(damage)
    assert look(tmp_path)[0].counts == {"golden.jsonl": 2}
