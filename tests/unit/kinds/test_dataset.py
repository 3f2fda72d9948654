"""How two listings of a dataset differ, in words."""

from __future__ import annotations

from mlplan.kinds.dataset.desired import difference
from mlplan.workspace.protocols import FileEntry


def listing(**files: str) -> tuple[FileEntry, ...]:
    return tuple(FileEntry(name, digest, 1) for name, digest in files.items())


def test_added_changed_and_removed_files_are_named() -> None:
    before, after = listing(a="1", b="1", c="1"), listing(a="1", b="2", d="1")
    assert difference(before, after) == "1 file added (d), 1 file changed (b), 1 file removed (c)"


def test_of_many_the_first_are_named() -> None:
    after = listing(**{f"f{n}": "1" for n in range(8)})
    assert difference((), after) == "8 files added (f0, f1, f2, f3, f4, and 3 more)"


def test_the_same_files_differ_in_nothing() -> None:
    assert difference(listing(a="1"), listing(a="1")) == ""
