"""The keys of a service: random, in a file of their own outside the state, readable by their owner alone."""

from __future__ import annotations

import json
import os
import secrets
from typing import Literal, get_args

from mlplan.codes import apply as codes
from mlplan.errors import Refusal

Which = Literal["primary", "secondary"]
WHICH: tuple[Which, ...] = get_args(Which)


def keys_path(home: str, name: str) -> str:
    """Where a service's keys are: in a folder of their own, which a container can be given without any others'."""
    return os.path.join(home, "service-keys", name, "keys.json")


def service_keys(home: str, name: str) -> str:
    """The absolute path of a service's keys, made at the first call. Raises: Refusal (MLP7037) for damaged ones."""
    path = keys_path(home, name)
    if os.path.exists(path):
        read_keys(path)
    else:
        write_keys(path, {"primary": new_key(), "secondary": new_key()})
    return path


def new_key() -> str:
    """A key of 256 random bits."""
    return secrets.token_urlsafe(32)


def read_keys(path: str) -> dict[str, str]:
    """{"primary": ..., "secondary": ...}. Raises: Refusal (MLP7037) where that isn't what the file holds."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        text = stream.read()
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not all(isinstance(keys.get(which), str) and keys[which] for which in WHICH):
        detail = f"{path} doesn't hold the keys of a service."
        hint = f"Restore it, or have new ones made:\n    rm {path}\n    mlplan apply"
        raise Refusal([codes.MLP7037.diagnostic(detail, hint=hint)])
    return keys


def rotate(path: str, which: Which) -> dict[str, str]:
    """A new key in place of one of the two; a running service takes it up by itself."""
    keys = {**read_keys(path), which: new_key()}
    write_keys(path, keys)
    return keys


def write_keys(path: str, keys: dict[str, str]) -> None:
    """Written aside and renamed over, so that a service never reads half of it.

    They belong to whom their folder belongs: root gives that to the user of a container.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    aside = f"{path}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if os.geteuid() == 0:
        owner = os.stat(folder)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    with open(descriptor, "w", encoding="utf-8") as stream:
        json.dump(keys, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)
