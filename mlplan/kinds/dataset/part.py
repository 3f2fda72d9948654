"""A download that isn't whole yet: its bytes in `TARGET.part`, and in `TARGET.part.json` what they are a part of.

The note says which content the bytes belong to (the server's ETag or Last-Modified), so that a later request can ask
for the rest of just that content. It stays when the file is whole: a second request can then ask "still the same?".
The bytes are written in order and the note before them, so that stopping at any moment leaves something to go on
with.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from io import BufferedWriter


class Origin(NamedTuple):
    """What the bytes of a part are a part of."""

    url: str  # without what is secret in it
    etag: str = ""
    last_modified: str = ""
    total: int | None = None  # in bytes
    sha256: str = ""  # of the whole, once it is there

    @property
    def validator(self) -> str:
        """What `If-Range` can say: a strong ETag, else the date of the last change, else nothing."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Part:
    """The part file of one target, opened to go on with it. Close it; what is there stays."""

    def __init__(self, target: str, url: str, *, pinned: bool) -> None:
        """`pinned` says whether a digest tells what the target has to be. Without one, a target that is there already
        is taken as a part: it may have to be fetched again."""
        self.target = target
        self.path = f"{target}.part"
        self._note = f"{target}.part.json"
        self.origin = self._read_note(url)
        self.size = 0
        self.requests = 0  # how many answers its bytes come from
        self._hash = hashlib.sha256()
        if self.origin == Origin(url):
            self._stream: BufferedWriter = open(self.path, "wb")  # noqa: SIM115  # closed by close()
        else:
            if not pinned and not os.path.exists(self.path) and os.path.exists(target):
                os.replace(target, self.path)
            self._stream = open(self.path, "ab")  # noqa: SIM115  # closed by close()
            self._hash_what_is_there()
            if self.origin.sha256 and self.is_whole and self.origin.sha256 != self.sha256:
                self.restart(Origin(url))  # something else wrote into it

    def _read_note(self, url: str) -> Origin:
        """What the bytes that are there belong to; nothing of theirs where it can't be told, or is another URL."""
        try:
            with open(self._note, encoding="utf-8") as stream:
                content: dict[str, Any] = json.load(stream)
            origin = Origin(**content)
        except (OSError, ValueError, TypeError):
            return Origin(url)
        return origin if origin.url == url else Origin(url)

    def _hash_what_is_there(self) -> None:
        with open(self.path, "rb") as stream:
            while chunk := stream.read(1 << 20):
                self._hash.update(chunk)
                self.size += len(chunk)
        self.requests = 1 if self.size else 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are there, as far as the server said how many there are."""
        return self.size == self.origin.total

    @property
    def sha256(self) -> str:
        """The digest of the bytes that are there."""
        return self._hash.hexdigest()

    def restart(self, origin: Origin) -> None:
        """Empties it: what follows is the beginning of this content."""
        self._stream.seek(0)
        self._stream.truncate()
        self.size = self.requests = 0
        self._hash = hashlib.sha256()
        self._note_down(origin)

    def _note_down(self, origin: Origin) -> None:
        self.origin = origin
        aside = f"{self._note}.new"
        with open(aside, "w", encoding="utf-8") as stream:
            json.dump(origin._asdict(), stream)
        os.replace(aside, self._note)

    def write(self, chunk: bytes) -> None:
        """Adds bytes at the end. Raises: OSError, disk full for one."""
        self._stream.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        """Makes it the target, durably."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._note_down(self.origin._replace(sha256=self.sha256))
        os.replace(self.path, self.target)

    def close(self) -> None:
        """Writes out what is in memory, so that the part file can be gone on with."""
        self._stream.close()

    def discard(self) -> None:
        """Removes it, with its note."""
        self._stream.close()
        for path in (self.path, self._note):
            if os.path.exists(path):
                os.unlink(path)
