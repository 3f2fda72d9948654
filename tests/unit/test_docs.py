"""The reference pages are what the code says, and what other pages mention is there."""

from __future__ import annotations

import importlib.util
import os
import re
from types import ModuleType

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", os.path.join(ROOT, "docs", "generate.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(path: str) -> str:
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        return stream.read()


@pytest.mark.parametrize(
    "path", ["docs/reference/commands.md", "docs/reference/codes.md", "docs/reference/manifest.md"]
)
def test_the_reference_is_what_the_code_says(path: str) -> None:
    assert text_of(path) == generator().pages()[path], "stale: run `make docs` and commit what it writes"


@pytest.mark.parametrize("path", ["README.md", "docs/architecture.md"])
def test_what_a_page_mentions_is_there(path: str) -> None:
    mentioned = re.findall(r"`((?:mlplan|docs|tests|examples|bench|schemas|templates)/[\w./-]+)`", text_of(path))
    links = re.findall(r"\]\(([\w./-]+)\)", text_of(path))  # from the page's own folder
    mentioned += [os.path.normpath(os.path.join(os.path.dirname(path), link)) for link in links]
    assert mentioned
    assert [name for name in mentioned if not os.path.exists(os.path.join(ROOT, name))] == []
