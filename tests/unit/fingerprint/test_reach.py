"""Which files a script reaches."""

from __future__ import annotations

import pytest

from mlplan.fingerprint.python import python_meaning
from mlplan.fingerprint.reach import Reached, reach


def reached(files: dict[str, str], *scripts: str) -> Reached:
    meanings = {path: python_meaning(text.encode()) for path, text in files.items()}
    return reach(scripts, meanings.get)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"train.py": "import numpy", "other.py": ""}, {"train.py"}),
        ({"train.py": "import helpers", "helpers.py": "import deep", "deep.py": "", "x.py": ""},
         {"train.py", "helpers.py", "deep.py"}),
        ({"train.py": "from pkg import mod", "pkg/__init__.py": "", "pkg/mod.py": "from . import near",
          "pkg/near.py": "", "pkg/far.py": ""},
         {"train.py", "pkg/__init__.py", "pkg/mod.py", "pkg/near.py"}),
        ({"train.py": "import a.b.c", "a/__init__.py": "", "a/b/c.py": "from ...up import x", "up.py": ""},
         {"train.py", "a/__init__.py", "a/b/c.py", "up.py"}),
        ({"train.py": "import a\n", "a.py": "import train"}, {"train.py", "a.py"}),
        ({"train.py": "import importlib\nimportlib.import_module('late')", "late.py": "", "x.py": ""},
         {"train.py", "late.py"}),
        ({"train.py": "import subprocess, sys\nsubprocess.run([sys.executable, 'other.py'])", "other.py": "",
          "x.py": ""},
         {"train.py", "other.py"}),
    ],
)  # fmt: skip
def test_imports_are_followed(files: dict[str, str], expected: set[str]) -> None:
    assert reached(files, "train.py") == Reached(frozenset(expected), False, "")


def test_modules_are_looked_for_beside_the_script_and_at_the_top() -> None:
    files = {"jobs/train.py": "import near, far", "jobs/near.py": "", "far.py": "", "near2.py": ""}
    assert reached(files, "jobs/train.py").files == {"jobs/train.py", "jobs/near.py", "far.py"}


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nimportlib.import_module(name)",
        "__import__('a' + 'b')",
        "exec(open('x').read())",
        "import runpy\nrunpy.run_path('x')",
        "import sys\nsys.path.insert(0, 'lib')",
    ],
)
def test_after_a_computed_import_everything_counts(text: str) -> None:
    found = reached({"train.py": "import helpers", "helpers.py": text}, "train.py")
    assert found == Reached(frozenset(), True, "every Python file counts: helpers.py imports by computed names")


def test_a_file_that_does_not_parse_may_import_anything() -> None:
    why = "every Python file counts: train.py doesn't parse as Python"
    assert reached({"train.py": "def f(:", "other.py": ""}, "train.py") == Reached(frozenset(), True, why)


def test_a_method_called_eval_is_not_a_computed_import() -> None:
    assert not reached({"train.py": "model.eval()"}, "train.py").everything


def test_without_a_script_everything_counts() -> None:
    assert reached({"a.py": ""}) == Reached(frozenset(), True, "")
