"""What is recorded, shown: the state, its resources, versions and runs; as text or JSON.

Times are UTC, and as JSON as they are recorded; how long ago they were stands beside them where `now` is given
(seconds since 1970). The log stands in `history.py`, services as they are now in `services.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import sort_key
from mlplan.views.golden import reports_facts
from mlplan.views.tables import as_json, facts, table
from mlplan.views.values import SHORT_DIGEST, age_text, duration_text, metrics_text, size_text, time_text, value_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.state.records import Recorded, RunRecord, State, Version
    from mlplan.workspace.protocols import Tree

FORMAT_VERSION = "1.0"
"""Of the state as JSON: `schemas/state.json`."""

YIELDS = {"dataset": "version", "model": "version", "run": "id", "deployment": "scoring_uri"}
"""What an overview says of a resource, by kind."""


def state_overview(state: State, *, form: str) -> str:
    """Everything that is recorded, a line each."""
    resources = [state.resources[address] for address in sorted(state.resources, key=sort_key)]
    if form == "json":
        return as_json(
            {
                "format_version": FORMAT_VERSION,
                "project": state.project,
                "lineage": state.lineage,
                "serial": state.serial,
                "resources": [resource_json(recorded) for recorded in resources],
                "open_intents": [str(intent.address) for intent in state.intents.values()],
            }
        )
    rows = [(str(r.address), _yield_text(r), "protected" if r.protect else "") for r in resources]
    text = table(("address", "yields", ""), rows, empty="Nothing is recorded yet.")
    for intent in state.intents.values():
        text += f"\nAn apply was interrupted at {intent.address}; the next one settles it.\n"
    return text


def _yield_text(recorded: Recorded) -> str:
    address, outputs = recorded.address, recorded.outputs
    value = outputs.get(YIELDS.get(address.kind, ""))
    if value is None:
        return ""
    said = f"{address.name}:{value}" if address.kind in ("dataset", "model") else str(value)
    metrics = outputs.get("metrics")
    return f"{said}  {metrics_text(metrics)}".rstrip() if isinstance(metrics, dict) else said


def resource_json(recorded: Recorded) -> Json:
    """A resource as it was last applied."""
    return {
        "address": str(recorded.address),
        "serial": recorded.serial,
        "protect": recorded.protect,
        "outputs": dict(recorded.outputs),
        "parts": {
            name: {"role": part.role, "digest": part.digest, "value": part.value}
            for name, part in recorded.parts.items()
        },
    }


def resource(recorded: Recorded, *, form: str) -> str:
    """One resource in full: what it yields, and what it was applied with."""
    if form == "json":
        return as_json(resource_json(recorded))
    outputs = {"idempotency key" if name == "key" else name: value for name, value in recorded.outputs.items()}
    golden = reports_facts("golden", outputs.pop("golden", None))
    yields = {name: value_text(value) for name, value in outputs.items() if value not in (None, {}, [])} | golden
    parts = {
        name: value_text(part.value) if part.value is not None else (part.digest or "")[:SHORT_DIGEST]
        for name, part in recorded.parts.items()
    }
    protected = " (protected)" if recorded.protect else ""
    title = f"{recorded.address}{protected}, recorded by commit {recorded.serial}"
    return facts(title, yields) + facts("\nApplied with", parts)


def versions(state: State, kind: str, wanted: Collection[Address], *, form: str) -> str:
    """The versions of datasets or models, the newest first, the current one marked."""
    found = [
        (address, version, _current(state.resources.get(address)))
        for address in sorted(wanted, key=sort_key)
        for version in reversed(state.versions.get(address, ()))
    ]
    if form == "json":
        return as_json([version_json(address, version, current) for address, version, current in found])
    rows = [
        (
            _version_text(address, version, current),
            version.digest[:SHORT_DIGEST],
            size_text(_number(version.details.get("size_bytes"))),
            _came_from(version),
            metrics_text(version.details.get("metrics")),
        )
        for address, version, current in found
    ]
    return table(("version", "digest", "size", "from", "metrics"), rows, empty=f"No {kind} has a version yet.")


def _version_text(address: Address, version: Version, current: int | None) -> str:
    return f"{address.name}:{version.number}" + (" (current)" if version.number == current else "")


def _current(recorded: Recorded | None) -> int | None:
    """The number of the version that a dataset or model yields now."""
    number = recorded.outputs.get("version") if recorded else None
    return number if isinstance(number, int) else None


def _came_from(version: Version) -> str:
    details = version.details
    if details.get("collected"):
        return "collected: its bytes are gone"
    for name in ("run_id", "path"):
        if details.get(name):
            return str(details[name])
    sources = details.get("sources")
    return str(sources[0]) + (" ..." if len(sources) > 1 else "") if isinstance(sources, list) and sources else ""


def version_json(address: Address, version: Version, current: int | None) -> dict[str, Json]:
    """A version as JSON."""
    return {
        "address": str(address),
        "version": version.number,
        "current": version.number == current,
        "digest": version.digest,
        "serial": version.serial,
        **version.details,
    }


def version(address: Address, one: Version, tree: Tree, recorded: Recorded | None, *, form: str) -> str:
    """One version in full, its files too."""
    current = _current(recorded)
    if form == "json":
        listing: list[Json] = [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in tree.files]
        return as_json({**version_json(address, one, current), "listing": listing})
    details = dict(_detail(name, value) for name, value in one.details.items() if value)
    if recorded is not None and current == one.number:
        tags = recorded.outputs.get("tags")
        details["tags"] = value_text(tags) if tags else ""
    title = f"{address.kind} {_version_text(address, one, current)}"
    text = facts(title, {"digest": one.digest, "recorded by commit": str(one.serial), **details})
    rows = [(entry.path, size_text(entry.size), entry.sha256[:SHORT_DIGEST]) for entry in tree.files]
    return text + "\n" + table(("file", "size", "sha256"), rows, empty="No files.")


def _detail(name: str, value: Json) -> tuple[str, str]:
    """What a version's detail is called, and how it reads."""
    if name == "size_bytes":
        return "size", size_text(_number(value))
    if name == "metrics":
        return name, metrics_text(value)
    if name == "framework" and isinstance(value, dict):
        return name, " ".join(str(word) for word in (value["name"], value.get("version")) if word)
    return name.replace("_", " "), value_text(value)


def runs(state: State, wanted: Collection[Address], *, form: str, now: float | None = None) -> str:
    """Executions, the newest first."""
    records = sorted((r for a in wanted for r in state.runs.get(a, ())), key=lambda r: r.serial, reverse=True)
    if form == "json":
        return as_json([run_json(record) for record in records])
    rows = [
        (
            record.id,
            record.status,
            age_text(record.started, now),
            duration_text(record.duration_s),
            size_text(record.peak_memory_bytes),
            metrics_text(dict(record.metrics)),
        )
        for record in records
    ]
    return table(("id", "status", "started", "took", "memory", "metrics"), rows, empty="Nothing ran yet.")


def run_json(record: RunRecord) -> Json:
    """An execution as JSON."""
    return {**record._asdict(), "address": str(record.address), "metrics": dict(record.metrics)}


def run(record: RunRecord, *, form: str, now: float | None = None, call: str = "mlplan") -> str:
    """One execution in full. `call`: how mlplan was called, up to the command."""
    if form == "json":
        return as_json(run_json(record))
    ended = f"exit code {record.exit_code}" if record.exit_code is not None else "no exit code"
    lines = {
        "status": f"{record.status} ({record.ended_by or ended})",
        "started": time_text(record.started, now),
        "took": duration_text(record.duration_s),
        "peak memory": size_text(record.peak_memory_bytes),
        "attempt": str(record.attempt),
        "fingerprint": record.fingerprint,
        "outputs": record.outputs or "not kept any more",
    }
    lines |= {f"metric {name}": value_text(value) for name, value in record.metrics.items()}
    return facts(f"run {record.id}", lines) + f"\nIts output:\n    {call} run logs {record.id}\n"


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
