"""A state as bytes, and back: what keeps reading a long log short.

Lines of JSON: a seal with the digest of all that follows, a head with what is small, then one line for each
resource, each dataset's or model's versions and each run's records, in the order in which the head names them.
The lines stay bytes until somebody asks for them (`lazy.py`).

A checkpoint is never the only record of anything: one that is damaged, or of another format, counts as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlplan.address import Address
from mlplan.json_types import canonical
from mlplan.state.encode import decode_address, decode_parts, decode_run, encode_address, encode_parts, encode_run
from mlplan.state.lazy import Lazy, raw
from mlplan.state.records import Intent, Lease, Recorded, RunRecord, State, Stopped, Version

FORMAT = 1
_SEAL, _SEAL_END = b'{"checkpoint":1,"sha256":"', b'"}\n'
_START = len(_SEAL) + 64 + len(_SEAL_END)


class Checkpoint(NamedTuple):
    """A state, and the digest of the commit it was folded up to."""

    state: State
    digest: str


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The bytes of a checkpoint."""
    state = checkpoint.state
    lines: list[bytes] = []

    def section(values: Mapping[Address, Any], encode: Callable[[Any], Any]) -> list[str]:
        lines.extend(v if type(v) is bytes else canonical(encode(v)) for v in raw(values).values())
        return [encode_address(address) for address in values]

    head: dict[str, Any] = {
        "serial": state.serial,
        "digest": checkpoint.digest,
        "lineage": state.lineage,
        "project": state.project,
        "lease": None if state.lease is None else list(state.lease),
        "moved": state.moved,
        "stopped": [[encode_address(address), *stopped] for address, stopped in state.stopped.items()],
        "intents": [[*intent[:1], encode_address(intent.address), *intent[2:]] for intent in state.intents.values()],
        "resources": section(state.resources, _encode_recorded),
        "versions": section(state.versions, lambda versions: [list(version) for version in versions]),
        "runs": section(state.runs, lambda records: [encode_run(record) for record in records]),
    }
    rest = b"\n".join((canonical(head), *lines))
    return b"".join((_SEAL, hashlib.sha256(rest).hexdigest().encode(), _SEAL_END, rest))


def decode_checkpoint(data: bytes) -> Checkpoint | None:
    """The checkpoint that these bytes spell, or None where they are damaged or of another format."""
    rest = data[_START:]
    if data[:_START] != b"".join((_SEAL, hashlib.sha256(rest).hexdigest().encode(), _SEAL_END)):
        return None
    first, *lines = rest.split(b"\n")
    head = json.loads(first)
    remaining = iter(lines)

    def section(name: str) -> dict[Address, Any]:
        return {decode_address(address): next(remaining) for address in head[name]}

    intents = [Intent(key, decode_address(address), *others) for key, address, *others in head["intents"]]
    state = State(
        head["serial"],
        head["lineage"],
        head["project"],
        Lazy(section("resources"), _decode_recorded),
        Lazy(section("versions"), _decode_versions),
        Lazy(section("runs"), _decode_runs),
        {intent.key: intent for intent in intents},
        None if head["lease"] is None else Lease(*head["lease"]),
        head.get("moved", ""),
        {decode_address(address): Stopped(*stopped) for address, *stopped in head.get("stopped", ())},
    )
    return Checkpoint(state, head["digest"])


def _encode_recorded(recorded: Recorded) -> list[Any]:
    return [encode_parts(recorded.parts), recorded.outputs, recorded.protect, recorded.serial]


def _decode_recorded(address: Address, line: bytes) -> Recorded:
    parts, outputs, protect, serial = json.loads(line)
    return Recorded(address, decode_parts(parts), outputs, protect, serial)


def _decode_versions(address: Address, line: bytes) -> tuple[Version, ...]:
    return tuple(Version(*version) for version in json.loads(line))


def _decode_runs(address: Address, line: bytes) -> tuple[RunRecord, ...]:
    return tuple(decode_run(record) for record in json.loads(line))
