"""A run's arguments as parts."""

from __future__ import annotations

import pytest

from mlplan.kinds.run.desired import argument_parts, scripts_of


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], {}),
        (["--x", "1"], {"--x": "1"}),
        (["--x=1"], {"--x": "1"}),
        (["--x", "-1", "-2.5e3"], {"--x": "-1 -2.5e3"}),
        (["--a", "1", "--b"], {"--a": "1", "--b": "", "order of arguments": None}),
        (["file.csv"], {"argument 1": "file.csv"}),
        (["a", "b"], {"argument 1": "a", "argument 2": "b", "order of arguments": None}),
        (["--x", "1", "--x", "2"], {"--x": "1 2"}),
    ],
)
def test_argument_parts(arguments: list[str], shown: dict[str, str | None]) -> None:
    assert {name: part.value for name, part in argument_parts(arguments).items()} == shown


def test_order_counts() -> None:
    one, other = argument_parts(["--a", "1", "--b", "2"]), argument_parts(["--b", "2", "--a", "1"])
    assert one["order of arguments"] != other["order of arguments"]
    assert one["--a"] == other["--a"]


@pytest.mark.parametrize(
    ("spec", "scripts"),
    [
        ({"script": "train.py"}, ("train.py",)),
        ({"command": ["python", "-u", "train.py", "--x"]}, ("train.py",)),
        ({"command": ["make", "all"]}, ()),
    ],
)
def test_scripts(spec: dict[str, object], scripts: tuple[str, ...]) -> None:
    assert scripts_of(spec) == scripts
