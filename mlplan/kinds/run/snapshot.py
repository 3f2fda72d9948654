"""The files of a `source` folder that go into its snapshot: what a run or an inference gets to see of it.

Which ignore file counts: that folder's `.mlplanignore` if there is one, else its `.amlignore`, else its `.gitignore`;
never two of them, and none of folders below (`ignore.py` has the rules).

Left out beyond that, whatever an ignore file says:

    .git, .mlplan, __pycache__, *.pyc       what tools keep beside the code
    a folder with CACHEDIR.TAG, pyvenv.cfg  a cache or a virtual environment, which says so itself
    mlplan.yaml, mlplan.lock, ignore files  at the top: they decide what is done, they are not part of it. Otherwise
                                            every edit of the manifest would change the code of each run in its folder
    .mlplan-schema.json                     at the top: an editor reads it, beside the manifest
    mlplan-plan.json                        at the top: a plan kept in a file would change the plan that it holds

and, unless an ignore file takes them back (`!outputs/`):

    outputs/, logs/                         at the top: there a script writes what it makes. A run gets empty ones;
                                            what a trial by hand left in them would count as code, and as a result
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import plan as codes
from mlplan.errors import Refusal
from mlplan.kinds.run.ignore import Rule, is_ignored, read_rules

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic

IGNORE_FILES = (".mlplanignore", ".amlignore", ".gitignore")
"""In the order in which they are looked for; the first that exists is the only one obeyed."""

_NEVER = frozenset({".git", ".mlplan", "__pycache__"})
_NEVER_AT_THE_TOP = frozenset(
    {"mlplan.yaml", ".mlplan-schema.json", "mlplan.lock", "mlplan-plan.json", *IGNORE_FILES}
)
_MARKS = frozenset({"CACHEDIR.TAG", "pyvenv.cfg"})
_UNLESS_TAKEN_BACK = read_rules(["/outputs/", "/logs/"])


class Snapshot(NamedTuple):
    """What of a folder is packed."""

    files: Mapping[str, str]  # {path in the snapshot: path here}, sorted by path
    size: int  # in bytes

    @property
    def note(self) -> str:
        """`snapshot: 3 files, 12 kB`: what a plan says of it."""
        count = len(self.files)
        return f"snapshot: {count:,} file{'' if count == 1 else 's'}, {readable_size(self.size)}"


def snapshot(folder: str) -> Snapshot:
    """The files below `folder` (absolute) that are packed. Folders that are left out are not walked into.

    A symlink is followed as long as it stays in the folder. Raises: Refusal (MLP511x) for one that leads out of it or
    to nothing, for a folder that can't be read, and for what is no file.
    """
    walk = _Walk(folder)
    if walk.problems:
        raise Refusal(walk.problems)
    return Snapshot(dict(sorted(walk.files.items())), walk.size)


def readable_size(size: int) -> str:
    """A number of bytes for people: `812 B`, `12 kB`, `3.4 MB`."""
    if size < 1000:
        return f"{size} B"
    step = next((step for step in (1, 2, 3) if size < 999.5 * 1000**step), 4)
    value = size / 1000**step
    return f"{value:.{1 if value < 9.95 else 0}f} {'?kMGT'[step]}B"


class _Walk:
    """One walk over a source folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.real = os.path.realpath(folder)
        self.rules = (*_UNLESS_TAKEN_BACK, *_rules_of(folder))
        self.files: dict[str, str] = {}
        self.size = 0
        self.problems: list[Diagnostic] = []
        self.walk(folder, "", (self.real,))

    def walk(self, here: str, below: str, above: tuple[str, ...]) -> None:
        """Takes what is in the folder `here`; `below` is its path in the snapshot, "" or ending in a slash."""
        try:
            with os.scandir(here) as found:
                entries = list(found)
        except OSError as error:
            self.refuse(below.rstrip("/") or ".", f"can't be read: {error.strerror}", "Mend its permissions.")
            return
        if below and any(entry.name in _MARKS for entry in entries):
            return
        for entry in entries:
            self.take(entry, below, above)

    def take(self, entry: os.DirEntry[str], below: str, above: tuple[str, ...]) -> None:
        name = entry.name
        path = below + name
        if name in _NEVER or name.endswith(".pyc") or (not below and name in _NEVER_AT_THE_TOP):
            return
        is_folder = (
            entry.is_dir()
        )  # git takes a link for a file; here it is followed, so it counts as what it leads to
        if is_ignored(path, folder=is_folder, rules=self.rules):
            return
        if entry.is_symlink() and not self.stays_inside(entry.path, path, above):
            return
        if is_folder:
            inside = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(above[-1], name)
            self.walk(entry.path, path + "/", (*above, inside))
        elif entry.is_file():
            self.files[path] = entry.path
            self.size += entry.stat().st_size
        else:
            self.refuse(path, "is no file: a socket, a pipe or a device", "Remove it, or ignore it in .mlplanignore.")

    def stays_inside(self, here: str, path: str, above: tuple[str, ...]) -> bool:
        """Whether a symlink leads to something in the folder; tells what is wrong where it doesn't."""
        real = os.path.realpath(here)
        hint = "Put a copy in its place, or ignore it in .mlplanignore."
        if not os.path.exists(real):
            self.refuse(path, "is a link to nothing", hint)
        elif real in above:
            self.refuse(path, "is a link to a folder that it lies in itself", hint)
        elif not real.startswith(self.real + os.sep):
            self.refuse(path, "is a link out of the source folder, so its content isn't the project's", hint)
        else:
            return True
        return False

    def refuse(self, path: str, what: str, hint: str) -> None:
        shown = os.path.join(os.path.basename(self.folder), path)
        self.problems.append(codes.MLP5111.diagnostic(f"{shown} {what}.", hint=hint))


def _rules_of(folder: str) -> tuple[Rule, ...]:
    for name in IGNORE_FILES:
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as stream:
                return _read_rules(stream.read())
        except (FileNotFoundError, NotADirectoryError):  # three names at most
            continue
        except OSError as error:
            detail = f"{os.path.join(os.path.basename(folder), name)} can't be read: {error.strerror}."
            raise Refusal([codes.MLP5111.diagnostic(detail, hint="Mend its permissions.")]) from error
    return ()


@lru_cache(maxsize=64)
def _read_rules(text: str) -> tuple[Rule, ...]:
    return read_rules(text.removeprefix("\ufeff").split("\n"))
