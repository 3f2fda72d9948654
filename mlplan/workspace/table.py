"""A table of what is known of files: stat numbers and digest by path, as one compact file that is read in one go.

A line of JSON with the counts, then the paths, the numbers and the digests, each in one block; a digest over all at
the front. A table that is damaged, or of another format or machine, is an empty one.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping
from hashlib import sha256

from mlplan.workspace.reading import COLUMNS

_FORMAT = f"mlplan table 1 {sys.byteorder}\n".encode()


class Table:
    """What is known, by path."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._stats: array[int] = array("q")
        self._digests = bytearray()
        self.changed = False

    def __len__(self) -> int:
        return len(self._rows)

    def digest(self, path: str, stats: array[int], index: int) -> str | None:
        """The sha256 of a file if it is as it was; its numbers are the `index`-th in `stats`."""
        row = self._rows.get(path)
        if row is None:
            return None
        at, known = index * COLUMNS, row * COLUMNS
        if self._stats[known : known + COLUMNS] != stats[at : at + COLUMNS]:
            return None
        return self._digests[row * 32 : row * 32 + 32].hex()

    def put(self, path: str, stats: array[int], index: int, digest: str) -> None:
        """Notes what a file holds."""
        numbers = stats[index * COLUMNS : (index + 1) * COLUMNS]
        row = self._rows.setdefault(path, len(self._rows))
        self._stats[row * COLUMNS : (row + 1) * COLUMNS] = numbers
        self._digests[row * 32 : row * 32 + 32] = bytes.fromhex(digest)
        self.changed = True

    def forget_others(self, used: Mapping[str, object]) -> None:
        """Drops what isn't in `used`, if that is most of it."""
        if len(self._rows) > 2 * len(used) + 1000:
            kept = Table()
            for path, row in self._rows.items():
                if path in used:
                    kept.put(path, self._stats, row, self._digests[row * 32 : row * 32 + 32].hex())
            self._rows, self._stats, self._digests = kept._rows, kept._stats, kept._digests
            self.changed = True

    def encode(self) -> bytes:
        """The table as bytes."""
        paths = "\0".join(self._rows).encode("utf-8", "surrogateescape")
        head = json.dumps([len(self._rows), len(paths)]).encode()
        rest = b"".join((head, b"\n", paths, self._stats.tobytes(), self._digests))
        return b"".join((_FORMAT, sha256(rest).digest(), rest))


def decode_table(data: bytes | None) -> Table:
    """The table that these bytes spell; an empty one where they spell none."""
    table = Table()
    start = len(_FORMAT) + 32
    if (
        data is None
        or not data.startswith(_FORMAT)
        or sha256(memoryview(data)[start:]).digest() != data[start - 32 : start]
    ):
        return table
    line = data.index(b"\n", start) + 1
    count, length = json.loads(data[start:line])
    if count:
        paths = data[line : line + length].decode("utf-8", "surrogateescape").split("\0")
        table._rows = dict(zip(paths, range(count), strict=True))
        at = line + length
        table._stats.frombytes(data[at : at + count * COLUMNS * 8])
        table._digests = bytearray(data[at + count * COLUMNS * 8 :])
    return table
