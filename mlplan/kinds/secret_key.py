"""The key under which secrets are digested: random, outside the state, made where a secret is first digested.

A digest ends in the key's own mark, so that digests under different keys are never taken for different secrets: on
another machine, a secret whose digest can't be compared counts as it is recorded.
"""

from __future__ import annotations

import os

SHARED = "MLPLAN_DIGEST_KEY"
"""The environment variable by which a team shares one key."""

MARK = 8
"""How many hex digits at the end of a digest name its key."""


def keyed_digest(home: str, name: str, value: str) -> str | None:
    """The keyed digest of a secret; None where there is no key and none can be made."""
    key = _key(home)
    if key is None:
        return None
    import hashlib
    import hmac

    digest = hmac.new(key, f"{name}\0{value}".encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
    return digest[:-MARK] + hmac.new(key, b"mark", hashlib.sha256).hexdigest()[:MARK]


def comparable(digest: str, other: str) -> bool:
    """Whether two digests were made under the same key."""
    return digest[-MARK:] == other[-MARK:]


def _key(home: str) -> bytes | None:
    """The key that a team shares, else that of this checkout, made where there is none yet."""
    shared = os.environ.get(SHARED)
    if shared:
        return shared.encode()
    path = key_path(home)
    try:
        if not os.path.exists(path):
            _make(path)
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def _make(path: str) -> None:
    """Writes a new key, whole or not at all; where another process is quicker, its key stays."""
    import secrets

    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    aside = f"{path}.{os.getpid()}"
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(32))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(aside)


def key_path(home: str) -> str:
    """Where the key of this checkout is."""
    return os.path.join(home, "keys", "digest-key")
