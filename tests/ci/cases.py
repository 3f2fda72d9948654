"""Pull requests, and what a check has to say of each: the same on GitHub and on GitLab."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from .conftest import Checkout


class Case(NamedTuple):
    """One branch, and what its check comes to."""

    make: Callable[[Checkout], None]
    exitcode: int
    changes: int
    says: tuple[str, ...] = ()  # pieces of the comment
    says_not: tuple[str, ...] = ()


def nothing(checkout: Checkout) -> None:
    checkout.write({"README.md": "new\n"})


def a_comment(checkout: Checkout) -> None:
    checkout.edit("code/train.py", "print(1)", "# why\nprint(1)  # one")


def an_argument(checkout: Checkout) -> None:
    checkout.edit("mlplan.yaml", '"0.5"', '"0.7"')


def a_data_file(checkout: Checkout) -> None:
    checkout.edit("data/a.txt", "2", "3")


def a_removed_deployment(checkout: Checkout) -> None:
    text = (checkout.folder / "mlplan.yaml").read_text()
    checkout.write({"mlplan.yaml": text[: text.index("deployment:")]})


def a_broken_manifest(checkout: Checkout) -> None:
    checkout.edit("mlplan.yaml", "script: train.py", "scrip: train.py")


EVIL = """\
import pathlib
pathlib.Path({witness!r}).write_text("executed")
"""
NAMES = (
    *("json", "re", "os", "sys", "argparse", "urllib", "venv", "encodings", "mlplan", "sitecustomize"),
    *("usercustomize", "yaml", "pydantic", "setup", "conftest", "code/train", "code/score", "code/sitecustomize"),
)


def hostile_files(checkout: Checkout) -> None:
    """Everything that somebody might execute by mistake."""
    evil = EVIL.format(witness=str(checkout.scratch / "witness"))
    files: dict[str, str | None] = {f"{name}.py": evil for name in NAMES}
    files |= {f"{name}/__init__.py": evil for name in ("mlplan", "json", "pip")}
    files |= {
        "evil.pth": f"import os; exec({json.dumps(evil)})",
        "pip.conf": "[global]\nindex-url = http://127.0.0.1:9/\n",
        "uv.toml": 'index-url = "http://127.0.0.1:9/"\n',
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n",
        ".gitattributes": "* filter=evil diff=evil\n",
        "code/$(touch witness).py": evil,
    }
    checkout.write(files)


def a_hostile_branch(checkout: Checkout) -> None:
    """Hostile files, and words that a shell or a runner might take for commands."""
    hostile_files(checkout)
    checkout.edit("mlplan.yaml", '"0.5"', '"0.7", "$(touch witness)", "`touch witness`", "::set-output name=x::y"')


CASES = {
    "no change": Case(nothing, 0, 0, says_not=("train",)),
    "a comment in the script": Case(a_comment, 0, 0, says_not=("train.py",)),
    "an argument": Case(an_argument, 2, 3, ("run.train", "--rate", "0.5", "0.7")),
    "a data file": Case(a_data_file, 2, 4, ("dataset.numbers", "a.txt", "run.train")),
    "a removed deployment": Case(
        a_removed_deployment,
        3,
        1,
        (
            "**This check refuses the change**",
            "`destructive`, which `--fail-on` stops",
            "deployment.means",
            "Destructive",
        ),
    ),
    "a broken manifest": Case(a_broken_manifest, 1, 0, ("**The manifest is not valid**", "MLP2001", "scrip")),
    "a hostile branch": Case(a_hostile_branch, 2, 4, ("run.train",)),
}


def untouched(checkout: Checkout) -> bool:
    """Whether nothing of the branch was executed."""
    return not (checkout.scratch / "witness").exists() and not (checkout.folder / "witness").exists()
