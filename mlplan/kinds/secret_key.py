"""The key under which secrets are digested: random, outside the state, made by the first apply that needs it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets


def keyed_digest(home: str, name: str, value: str) -> str | None:
    """The keyed digest of a secret, or None while there is no key here to compare under."""
    key = read_key(home)
    if key is None:
        return None
    return hmac.new(key, f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()


def read_key(home: str) -> bytes | None:
    """The key: `MLPLAN_DIGEST_KEY` where a team shares one, else that of this checkout; None where there is none."""
    shared = os.environ.get("MLPLAN_DIGEST_KEY")
    if shared:
        return shared.encode()
    try:
        with open(key_path(home), "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def make_key(home: str) -> None:
    """Makes the key of this checkout, unless there is one."""
    if read_key(home) is not None:
        return
    path = key_path(home)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(secrets.token_bytes(32))


def key_path(home: str) -> str:
    """Where the key of this checkout is."""
    return os.path.join(home, "keys", "digest-key")
