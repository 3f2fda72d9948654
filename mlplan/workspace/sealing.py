"""Encryption of what goes to a bucket: bytes and the names that digests make, each tied to the other.

    mlplan sealed 1\\n | 32 random bytes | pieces of up to 256 KiB, each with 16 bytes that authenticate it

Every object has a key of its own (HKDF of the workspace's key, the random bytes and the object's name), so no nonce
is ever used twice, and bytes under another name don't open. Pieces are numbered and the last one is marked, so none
can be left out, doubled or put elsewhere (AES-256-GCM). A digest in a name is replaced by what AES-SIV makes of it:
always the same, so that what is kept is found again, and nothing to compare known files with.

The workspace's key is random. It is kept beside what it opens, in `key.json`, wrapped by the user's key (`keys.py`).
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"mlplan sealed 1\n"
"""What sealed bytes begin with."""

KEY_BYTES = 32
PIECE = 256 << 10
"""Plain bytes in a piece."""

_TAG = 16
_SALT = 32
_HEAD = len(MAGIC) + _SALT
_DIGEST = re.compile(r"(?<=artifacts/)([0-9a-f]{2})/([0-9a-f]{62})(?=/|$)|(?<=packs/)([0-9a-f]{64})(?=/|\.json$|$)")
_SEALED = re.compile(r"(?<=artifacts/)([0-9a-f]{2})/([0-9a-f]{94})(?=/|$)|(?<=packs/)([0-9a-f]{96})(?=/|\.json$|$)")


class NotOpened(Exception):
    """Bytes that aren't what was sealed under that name and key."""


class Sealer:
    """Seals and opens under one workspace's key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self.key = key
        self._names = AESSIV(_derive(key, b"", b"mlplan names", 64))

    def seal(self, name: str, plain: bytes) -> bytes:
        """The sealed bytes of an object."""
        salt = os.urandom(_SALT)
        cipher = self._cipher(name, salt)
        sealed = [MAGIC, salt]
        for number, start in enumerate(range(0, len(plain) or 1, PIECE)):
            end = start + PIECE
            nonce = _nonce(number, last=end >= len(plain))
            sealed.append(cipher.encrypt(nonce, plain[start:end], None))
        return b"".join(sealed)

    def open(self, name: str, sealed: bytes) -> bytes:
        """The bytes that were sealed under that name. Raises: NotOpened."""
        from cryptography.exceptions import InvalidTag

        if not sealed.startswith(MAGIC) or len(sealed) < _HEAD + _TAG:
            raise NotOpened
        cipher = self._cipher(name, sealed[len(MAGIC) : _HEAD])
        plain = []
        try:
            for number, start in enumerate(range(_HEAD, len(sealed), PIECE + _TAG)):
                end = start + PIECE + _TAG
                nonce = _nonce(number, last=end >= len(sealed))
                plain.append(cipher.decrypt(nonce, sealed[start:end], None))
        except (InvalidTag, ValueError):
            raise NotOpened from None
        return b"".join(plain)

    def seal_name(self, name: str) -> str:
        """A name with the digest in it replaced. Names without one stay as they are."""

        def sealed(found: re.Match[str]) -> str:
            return self._names.encrypt(bytes.fromhex(_whole(found)), None).hex()

        return _replaced(_DIGEST, name, sealed)

    def open_name(self, name: str) -> str:
        """The name that `seal_name` made this of. Raises: NotOpened."""
        from cryptography.exceptions import InvalidTag

        def opened(found: re.Match[str]) -> str:
            return self._names.decrypt(bytes.fromhex(_whole(found)), None).hex()

        try:
            return _replaced(_SEALED, name, opened)
        except InvalidTag:
            raise NotOpened from None

    def _cipher(self, name: str, salt: bytes) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(_derive(self.key, salt, b"mlplan content " + name.encode(), KEY_BYTES))


def plain_size(sealed: int) -> int:
    """How many bytes were sealed to so many; -1 for what sealing never makes."""
    rest = sealed - _HEAD
    return max(-1, rest - _TAG * max(1, -(-rest // (PIECE + _TAG))))


def wrap(key: bytes, by: bytes) -> bytes:
    """A workspace's key as it is kept: opened by the user's key alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    wrapped = nonce + AESGCM(by).encrypt(nonce, key, MAGIC)
    return json.dumps({"format": 1, "wrapped": base64.b64encode(wrapped).decode()}).encode()


def unwrap(data: bytes, by: bytes) -> bytes:
    """The workspace's key. Raises: NotOpened where this isn't the user's key that wrapped it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        wrapped = base64.b64decode(json.loads(data)["wrapped"])
        return AESGCM(by).decrypt(wrapped[:12], wrapped[12:], MAGIC)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise NotOpened from None


def _derive(key: bytes, salt: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt, purpose).derive(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _whole(found: re.Match[str]) -> str:
    return found[3] or found[1] + found[2]


def _replaced(pattern: re.Pattern[str], name: str, by: Callable[[re.Match[str]], str]) -> str:
    def placed(found: re.Match[str]) -> str:
        text = by(found)
        return text if found[3] else f"{text[:2]}/{text[2:]}"

    return pattern.sub(placed, name)
