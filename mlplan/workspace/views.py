"""Views: read-only copies of kept trees, shared by all jobs and services that read them.

    views/<digest of a tree>/        its files
    views/<digest of a tree>.json    by which it is noticed when somebody wrote into that view

A script can change the permissions of what it is given and write to it all the same. It reaches a copy, and the next
one who asks for the view gets a new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress

from mlplan.workspace.folder import make_folder, read_file, refusal
from mlplan.workspace.process import boot
from mlplan.workspace.stamp import Complicated, stamp_folder


class Views:
    """The views below one folder. Safe to use from several threads."""

    def __init__(self, folder: str) -> None:
        from threading import RLock

        self._folder = folder
        self._lock = RLock()

    def has(self, digest: str) -> bool:
        """Whether a view is there as it was made."""
        with self._lock:
            return self._is_whole(f"{self._folder}/{digest}")

    def get(self, digest: str, fill: Callable[[str], None]) -> str:
        """The absolute path of a view; where it isn't as it was made, `fill` writes its files to a new folder.

        Raises: Refusal, also what `fill` raises; then the old view is as it was.
        """
        path = f"{self._folder}/{digest}"
        with self._lock:
            if not self._is_whole(path):
                self._make(path, fill)
        return path

    def remove(self, digest: str) -> None:
        """Removes a view. Raises: OSError."""
        with self._lock:
            remove_all(f"{self._folder}/{digest}")
            remove_all(f"{self._folder}/{digest}.json")

    def sweep(self) -> None:
        """Removes what crashed processes began. Raises: OSError."""
        for name in os.listdir(self._folder) if os.path.isdir(self._folder) else ():
            if name.startswith(".") and not name.startswith(f".{os.getpid()}-"):
                remove_all(f"{self._folder}/{name}")

    def _is_whole(self, path: str) -> bool:
        """Told by the stat of its files. After a start of the machine none is: what wasn't flushed may be lost."""
        try:
            known = json.loads(read_file(f"{path}.json"))
            return bool(known == [boot(), stamp_folder(path, expected=known[2]).digest, known[2]])
        except (OSError, ValueError, TypeError, IndexError, Complicated):
            return False

    def _make(self, path: str, fill: Callable[[str], None]) -> None:
        fresh = f"{self._folder}/.{os.getpid()}-{os.urandom(8).hex()}"
        try:
            make_folder(self._folder)
            try:
                fill(fresh)
                remove_all(path)
                os.rename(fresh, path)
            except BaseException:
                remove_all(fresh)
                raise
            stamp = stamp_folder(path)
            with open(f"{path}.json", "w", encoding="ascii") as stream:
                json.dump([boot(), stamp.digest, stamp.files], stream)
        except OSError as error:
            raise refusal(error, str(error.filename or path)) from error


def remove_all(path: str) -> None:
    """Removes a file or a folder, read-only folders included. Fine where nothing is. Raises: OSError."""
    if os.path.isdir(path) and not os.path.islink(path):
        from shutil import rmtree

        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o755)
        rmtree(path)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)
