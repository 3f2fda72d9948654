"""The service's keys: two at a time, so that they can be changed while clients still use the old one.

Keys are kept and compared as digests, in constant time, and never logged. The file is looked at again when it
changes, so a rotation needs no restart.
"""

from __future__ import annotations

import hmac
import json
import os
from hashlib import sha256


class Keys:
    """The keys in a file. Raises, when made: OSError or ValueError where the file can't be used."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._digests: tuple[bytes, ...] = ()
        self._load()

    def refresh(self) -> None:
        """Reads the file again if it changed. One that can't be read or parsed leaves the keys as they were."""
        try:
            self._load()
        except (OSError, ValueError):
            self._seen = None

    def allow(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request carries a key: `authorization: Bearer <key>`, or `x-api-key`."""
        token = headers.get(b"authorization", b"")
        token = token[7:].strip() if token[:7].lower() == b"bearer " else headers.get(b"x-api-key", b"")
        digest = sha256(token).digest()
        # Both comparisons always happen, so that the time doesn't tell which key it was.
        found = False
        for known in self._digests:
            found |= hmac.compare_digest(digest, known)
        return found

    def _load(self) -> None:
        status = os.stat(self._path)
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen == self._seen:
            return
        with open(self._path, encoding="utf-8") as stream:
            keys = json.load(stream)
        found = [keys.get(name) for name in ("primary", "secondary")] if isinstance(keys, dict) else []
        digests = tuple(sha256(key.encode()).digest() for key in found if isinstance(key, str) and key)
        if not digests:
            raise ValueError(f"{self._path} holds no keys")
        self._digests, self._seen = digests, seen
