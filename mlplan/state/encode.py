"""Commits as bytes, and back.

    {"sha256":"<of the commit's bytes>","commit":{"format":1,"serial":7,"before":"<sha256 of commit 6>",...}}

The digest is taken of the bytes of the commit as they stand there, so that a single turned bit is noticed, and each
commit names the digest of the one before it, so that a history can't be changed unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlplan.address import Address
from mlplan.fingerprint import Part, Parts
from mlplan.json_types import canonical
from mlplan.state import entries as e
from mlplan.state.records import RunRecord
from mlplan.state.upgrade import FORMAT, TooNew, upgrade

__all__ = ["Damaged", "Sealed", "TooNew", "decode_commit", "encode_commit"]

_HEAD, _MIDDLE, _END = b'{"sha256":"', b'","commit":', b"}\n"
_BODY = len(_HEAD) + 64 + len(_MIDDLE)


class Damaged(Exception):
    """The bytes are not what was written."""


class Sealed(NamedTuple):
    """A commit with what ties it into the log."""

    commit: e.Commit
    digest: str  # of its bytes
    before: str  # digest of the commit before it; "" for the first
    lease: str  # id of the lease it was made under; "" for those that take or end one
    token: str  # random: tells two commits apart that say the same


def encode_commit(commit: e.Commit, *, before: str, lease: str, token: str) -> tuple[bytes, str]:
    """The bytes of a commit, and their digest."""
    body = canonical(
        {
            "format": FORMAT,
            "serial": commit.serial,
            "before": before,
            "lease": lease,
            "token": token,
            "time": commit.time,
            "who": commit.who,
            "revision": commit.revision,
            "command": commit.command,
            "entries": [encode_entry(entry) for entry in commit.entries],
        }
    )
    digest = hashlib.sha256(body).hexdigest()
    return b"".join((_HEAD, digest.encode(), _MIDDLE, body, _END)), digest


def decode_commit(data: bytes) -> Sealed:
    """The commit that these bytes spell. Raises: Damaged, TooNew."""
    digest, body = data[len(_HEAD) : len(_HEAD) + 64].decode("ascii", "replace"), data[_BODY : -len(_END)]
    if not data.startswith(_HEAD) or not data.endswith(_END) or data[_BODY - len(_MIDDLE) : _BODY] != _MIDDLE:
        raise Damaged(f"its {len(data)} bytes are not a whole commit")
    if hashlib.sha256(body).hexdigest() != digest:
        raise Damaged("its bytes don't match the digest in it")
    try:
        record = upgrade(json.loads(body))
        commit = e.Commit(
            record["serial"],
            record["time"],
            record["who"],
            record["revision"],
            record["command"],
            tuple(decode_entry(entry) for entry in record["entries"]),
        )
        return Sealed(commit, digest, record["before"], record["lease"], record["token"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"it says something that this mlplan doesn't understand ({error!r})") from error


def encode_parts(parts: Parts) -> dict[str, Any]:
    """Parts as JSON: {name: [role, digest, value]}."""
    return {name: list(part) for name, part in parts.items()}


def decode_parts(value: Mapping[str, Any]) -> Parts:
    """The parts that `encode_parts` spelled."""
    part = Part._make
    return {name: part(fields) for name, fields in value.items()}


def encode_address(address: Address) -> str:
    """`kind.name`."""
    return f"{address.kind}.{address.name}"


def decode_address(text: str) -> Address:
    """The address of its spelling."""
    kind, _, name = text.partition(".")
    return Address(kind, name)


def encode_run(record: RunRecord) -> dict[str, Any]:
    """A run's record as JSON."""
    return {**record._asdict(), "address": encode_address(record.address)}


def decode_run(value: Mapping[str, Any]) -> RunRecord:
    """The record that `encode_run` spelled."""
    return RunRecord(**{**value, "address": decode_address(value["address"])})


def encode_entry(entry: e.Entry) -> dict[str, Any]:
    """An entry as JSON: its fields, and its kind under "entry"."""
    value: dict[str, Any] = {"entry": _NAMES[type(entry)]}
    for name, field in zip(entry._fields, entry, strict=True):
        spell = _SPELL.get(name)
        value[name] = field if spell is None else spell[0](field)
    return value


def decode_entry(value: Mapping[str, Any]) -> e.Entry:
    """The entry that `encode_entry` spelled. Raises: KeyError, TypeError for what is none."""
    kind = _KINDS[value["entry"]]
    fields: dict[str, Any] = {}
    for name, field in value.items():
        if name != "entry":
            spell = _SPELL.get(name)
            fields[name] = field if spell is None else spell[1](field)
    entry: e.Entry = kind(**fields)
    return entry


_KINDS: dict[str, type[Any]] = {
    "created": e.Created,
    "lease-taken": e.LeaseTaken,
    "lease-released": e.LeaseReleased,
    "intent-opened": e.IntentOpened,
    "intent-closed": e.IntentClosed,
    "resource-recorded": e.ResourceRecorded,
    "resource-removed": e.ResourceRemoved,
    "resource-moved": e.ResourceMoved,
    "versioned": e.Versioned,
    "run-ended": e.RunEnded,
    "collected": e.Collected,
    "switch-stopped": e.SwitchStopped,
    "moved": e.Moved,
}
_NAMES: dict[type[Any], str] = {kind: name for name, kind in _KINDS.items()}
_SPELL: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "address": (encode_address, decode_address),
    "old": (encode_address, decode_address),
    "new": (encode_address, decode_address),
    "parts": (encode_parts, decode_parts),
    "record": (encode_run, decode_run),
    "digests": (list, tuple),
}
