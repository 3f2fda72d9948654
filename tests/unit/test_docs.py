"""The reference pages are what the code says, and what other pages mention is there."""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from mlplan.manifest.load import Loaded, load

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


def pages() -> list[str]:
    """Every page that people write, by its path from the project's root."""
    written = [
        "README.md",
        "CHANGELOG.md",
        "bench/README.md",
        "docs/*.md",
        "docs/decisions/*.md",
        "examples/*/README.md",
    ]
    return sorted(path for pattern in written for path in glob.glob(pattern, root_dir=ROOT))


def headings(path: str) -> set[str]:
    """What can be linked to inside a page."""
    lines = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_what_pages_mention_is_there() -> None:
    rooms = "mlplan|docs|tests|examples|bench|schemas|templates"
    mentioned = {(path, name) for path in pages() for name in re.findall(rf"`((?:{rooms})/[\w./-]+)`", text_of(path))}
    assert mentioned
    assert [(path, name) for path, name in mentioned if not os.path.exists(os.path.join(ROOT, name))] == []


def test_links_lead_somewhere() -> None:
    links = {
        (path, *link) for path in pages() for link in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", text_of(path))
    }
    assert links
    for path, link, place in links:
        target = os.path.normpath(os.path.join(os.path.dirname(path), link)) if link else path  # from its own folder
        assert os.path.exists(os.path.join(ROOT, target)), f"{path} links to {link}"
        assert not place or place in headings(target), f"{path} links to {link}#{place}"


def test_every_page_is_linked_from_the_first() -> None:
    first = text_of("README.md")
    assert [path for path in pages() if path.startswith("docs/") and path.count("/") == 1 and path not in first] == []


def first_manifest(page: str, folder: Path) -> Loaded:
    """What the first YAML of a page says as the manifest of a folder."""
    (folder / "mlplan.yaml").write_text(text_of(page).split("```yaml\n")[1].split("```")[0])
    return load(str(folder / "mlplan.yaml"), environ={})


def test_the_manifest_on_the_first_page_is_one(tmp_path: Path) -> None:
    shutil.copytree(os.path.join(ROOT, "examples", "quickstart"), tmp_path, dirs_exist_ok=True)
    loaded = first_manifest("README.md", tmp_path)
    assert loaded.manifest is not None
    assert loaded.diagnostics == ()


def test_the_manifest_of_a_first_project_is_one(tmp_path: Path) -> None:
    for name, text in {"data/sales.csv": "1\n", "scripts/train.py": "import numpy\n"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    loaded = first_manifest("docs/first-project.md", tmp_path)
    assert loaded.manifest is not None
    assert loaded.diagnostics == ()
