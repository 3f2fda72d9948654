"""Ignore files, held against git itself."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlplan.kinds.run.ignore import is_ignored, read_rules


def left_out(path: str, lines: list[str]) -> bool:
    """What a walk from the top would come to: a folder that is left out takes all below it along."""
    rules = read_rules(lines)
    names = path.split("/")
    above = ["/".join(names[:depth]) for depth in range(1, len(names))]
    return any(is_ignored(folder, folder=True, rules=rules) for folder in above) or is_ignored(
        path, folder=False, rules=rules
    )


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["*.log"], "a.log", True),
        (["*.log"], "x/a.log", True),
        (["*.log", "!keep.log"], "x/keep.log", False),
        (["!keep.log", "*.log"], "keep.log", True),
        (["/a.txt"], "x/a.txt", False),
        (["x/a.txt"], "y/x/a.txt", False),
        (["x/"], "y/x/a.txt", True),
        (["x/"], "x", False),
        (["x/*", "!x/keep"], "x/keep", False),
        (["x/", "!x/keep"], "x/keep", True),
        (["**/x"], "a/b/x", True),
        (["a/**/x"], "a/x", True),
        (["a/**"], "a/b/c", True),
        (["a**b"], "a/b", False),
        (["# x", "\\#x"], "#x", True),
        (["\\!x"], "!x", True),
        (["x  "], "x", True),
        (["x\\ "], "x ", True),
        (["[ab].py"], "a.py", True),
        (["[!ab].py"], "a.py", False),
        (["[a-c]?"], "bz", True),
        (["[[:digit:]]"], "7", True),
        (["[]]"], "]", True),
        (["[a"], "[a", False),
        (["a\\"], "a", False),
        (["a\r"], "a", True),
        (["", "/", "!", "!/"], "a", False),
    ],
)
def test_rules(lines: list[str], path: str, expected: bool) -> None:
    assert left_out(path, lines) is expected


PIECES = st.sampled_from(
    [*"ab.", "*", "**", "?", "/", "[ab]", "[!a]", "[a-b]", "[^.]", "\\a", "\\*", "[[:alpha:]]", "["]
)
LINES = st.builds(
    lambda sign, pieces, slash: sign + "".join(pieces) + slash,
    st.sampled_from(["", "", "!"]),
    st.lists(PIECES, min_size=1, max_size=6),
    st.sampled_from(["", "", "/"]),
)
NAMES = ("a", "b", "ab", ".a", "a.b", "*", "aab")
PATHS = [folder + name for folder in ("", "a/", "b/", "a/b/", "ab/a/") for name in NAMES]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def is_settled(line: str) -> bool:
    """Whether git's own pages say what a line means. (It drops what stands before the first `*` of an anchored line,
    so that `/a**` matches below `a/`, though `**` counts only beside a slash.)"""
    return "/" not in line.rstrip("/") or re.search(r"[^/*]\*\*", line) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES.filter(is_settled), min_size=1, max_size=4))
def test_git_says_the_same(repository: Path, lines: list[str]) -> None:
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    said = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=repository,
        env=environ,
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    assert [path for path in PATHS if left_out(path, lines)] == said[:-1]
