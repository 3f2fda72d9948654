"""Scripts that Python can't read: when that is an error, and where it stands. How it is told: `golden/broken/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplan.address import Address
from mlplan.manifest.contents import look_into
from mlplan.manifest.files import RealDisk
from mlplan.manifest.scripts import read_script
from mlplan.source import Span


@pytest.mark.parametrize(
    ("environment", "severity"),
    [
        ({}, "error"),
        ({"python": "3.9"}, "error"),
        ({"python": "3.99"}, "warning"),
        ({"python": "3.99.1"}, "warning"),
        ({"file": "requirements.txt"}, "error"),
        ({"file": "conda.yml"}, "warning"),
        ({"file": "conda.yml", "python": "3.9"}, "error"),
    ],
)
def test_it_is_an_error_unless_a_newer_python_may_run_it(environment: dict[str, Any], severity: str) -> None:
    (problem,), _ = read_script(b"def run(data)\n    pass\n", "score.py", environment)
    assert (problem.code, problem.severity, problem.span) == ("MLP3414", severity, Span("score.py", 1, 14, 1, 14))


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"# -*- coding: latin-1 -*-\nname = '\xe4'\n",
        b"\xef\xbb\xbfx = 1\r\n",
        b"x = '\\d'\n",
        b"raise SystemExit\n",
    ],
)
def test_what_python_can_read_is_fine(script: bytes) -> None:
    assert read_script(script, "train.py", {})[0] == []


@given(st.binary(max_size=60) | st.text(alphabet="def x():\n\r\t'\"\u2028ä#\0[", max_size=60).map(str.encode))
def test_any_problem_stands_inside_the_file(data: bytes) -> None:
    problems, source = read_script(data, "train.py", {})
    lines = source.lines()
    for problem in problems:
        assert problem.span is not None
        assert 1 <= problem.span.line <= len(lines)
        assert 1 <= problem.span.column <= problem.span.end_column <= len(lines[problem.span.line - 1]) + 1


class CountingDisk(RealDisk):
    """Counts what is read."""

    reads = 0

    def read(self, path: str) -> bytes:
        self.reads += 1
        return super().read(path)


def test_a_script_that_is_right_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 2**62)  # long after it was written
    (tmp_path / "train.py").write_text("print(1)\n")
    specs = {Address("run", name): {"source": ".", "script": "train.py"} for name in ("one", "two")}

    def reads() -> int:
        disk = CountingDisk(str(tmp_path))
        look_into(specs, disk, lambda address, field: Span("mlplan.yaml", 1, 1, 1, 2), str(tmp_path / "cache"))
        return disk.reads

    assert [reads(), reads()] == [1, 0]
    (tmp_path / "train.py").write_text("print(1\n")
    assert [reads(), reads()] == [1, 1]
