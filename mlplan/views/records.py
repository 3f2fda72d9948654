"""What is recorded, shown: the state, its resources, versions, runs, services and history; as text or JSON.

Times are UTC, and as JSON as they are recorded; how long ago they were stands beside them where `now` is given
(seconds since 1970).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import Address, sort_key
from mlplan.views.tables import as_json, facts, table
from mlplan.views.values import age_text, duration_text, size_text, time_text, value_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from mlplan.json_types import Json
    from mlplan.kinds.deployment.collected import Day
    from mlplan.state.entries import Commit, Entry
    from mlplan.state.records import Recorded, RunRecord, State, Stopped, Version
    from mlplan.workspace.protocols import Tree
    from mlplan.world import ObservedService

FORMAT_VERSION = "1.0"
"""Of the state as JSON: `schemas/state.json`."""

SHORT = 12
"""How much of a digest is shown."""

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
    return f"{said}  {_metrics_text(metrics)}".rstrip() if isinstance(metrics, dict) else said


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


def resource(recorded: Recorded, state: State, *, form: str) -> str:
    """One resource in full: what it yields, and what it was applied with."""
    if form == "json":
        return as_json(resource_json(recorded))
    outputs = {**recorded.outputs}
    golden = _golden_texts("golden", _mapping(outputs.pop("golden", None)))
    yields = {name: value_text(value) for name, value in outputs.items() if value not in (None, {}, [])} | golden
    parts = {
        name: value_text(part.value) if part.value is not None else (part.digest or "")[:SHORT]
        for name, part in recorded.parts.items()
    }
    protected = " (protected)" if recorded.protect else ""
    return facts(f"{recorded.address}{protected}, recorded by commit {recorded.serial}", yields) + facts(
        "\nApplied with", parts
    )


def versions(state: State, kind: str, wanted: Collection[Address], *, form: str) -> str:
    """The versions of datasets or models, the newest first, the current one marked."""
    found = [
        (address, version)
        for address in sorted(wanted, key=sort_key)
        for version in reversed(state.versions.get(address, ()))
    ]
    if form == "json":
        return as_json([version_json(address, version, _current(address, state)) for address, version in found])
    rows = [
        (
            f"{address.name}:{version.number}" + (" (current)" if _current(address, state) == version.number else ""),
            version.digest[:SHORT],
            size_text(_number(version.details.get("size_bytes"))),
            _came_from(version),
            _metrics_text(version.details.get("metrics")),
        )
        for address, version in found
    ]
    return table(("version", "digest", "size", "from", "metrics"), rows, empty=f"No {kind} has a version yet.")


def version_json(address: Address, version: Version, current: int | None) -> Json:
    """A version as JSON."""
    return {
        "address": str(address),
        "version": version.number,
        "current": version.number == current,
        "digest": version.digest,
        "serial": version.serial,
        **version.details,
    }


def _detail(name: str, value: Json) -> tuple[str, str]:
    """What a version's detail is called, and how it reads."""
    if name == "size_bytes":
        return "size", size_text(_number(value))
    if name == "metrics":
        return name, _metrics_text(value)
    if name == "framework" and isinstance(value, dict):
        return name, " ".join(str(word) for word in (value["name"], value.get("version")) if word)
    return name.replace("_", " "), value_text(value)


def version(address: Address, one: Version, tree: Tree, recorded: Recorded | None, *, form: str) -> str:
    """One version in full, its files too."""
    current = recorded.outputs.get("version") if recorded else None
    if form == "json":
        listing: list[Json] = [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in tree.files]
        shown = version_json(address, one, current if isinstance(current, int) else None)
        return as_json({**shown, "listing": listing} if isinstance(shown, dict) else shown)
    details = dict(_detail(name, value) for name, value in one.details.items() if value)
    if recorded is not None and current == one.number:
        tags = recorded.outputs.get("tags")
        details["tags"] = value_text(tags) if tags else ""
    title = f"{address.kind} {address.name}:{one.number}" + (" (current)" if current == one.number else "")
    text = facts(title, {"digest": one.digest, "recorded by commit": str(one.serial), **details})
    rows = [(entry.path, size_text(entry.size), entry.sha256[:SHORT]) for entry in tree.files]
    return text + "\n" + table(("file", "size", "sha256"), rows, empty="No files.")


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
            _metrics_text(dict(record.metrics)),
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


def services(state: State, seen: Mapping[Address, ObservedService], *, form: str) -> str:
    """Every service as it is now."""
    found = [(state.resources[address], seen[address]) for address in sorted(seen, key=sort_key)]
    if form == "json":
        return as_json([service_json(recorded, now) for recorded, now in found])
    rows = [
        (recorded.address.name, now.state, _served_text(recorded), str(recorded.outputs.get("scoring_uri") or ""))
        for recorded, now in found
    ]
    return table(("name", "state", "models", "scoring uri"), rows, empty="Nothing is deployed.")


def service_json(recorded: Recorded, now: ObservedService) -> dict[str, Json]:
    """A service as JSON: as recorded, and as it is now."""
    return {
        "name": recorded.address.name,
        "state": now.state,
        "scoring_uri": recorded.outputs.get("scoring_uri"),
        "models": recorded.outputs.get("versions"),
        "digest": recorded.outputs.get("digest"),
        "served_digest": now.digest,
        "detail": dict(now.detail),
    }


def service(recorded: Recorded, now: ObservedService, *, form: str, stopped: Stopped | None = None) -> str:
    """One service in full; `stopped` is a candidate that was to follow it, and was kept from the traffic."""
    if form == "json":
        golden = {"golden": recorded.outputs.get("golden"), "stopped": stopped and dict(stopped.reports)}
        return as_json({**service_json(recorded, now), **golden})
    serves = (
        "as deployed" if now.digest == recorded.outputs.get("digest") else f"another digest: {now.digest[:SHORT]}"
    )
    lines = {
        "state": now.state,
        "scoring uri": str(recorded.outputs.get("scoring_uri") or ""),
        "models": _served_text(recorded),
        "serves": serves if now.digest else "",
    }
    for name, value in now.detail.items():
        if value in (None, [], (), {}, ""):
            continue
        if name == "uptime_s" and isinstance(value, (int, float)):
            lines["uptime"] = duration_text(value)
        elif name == "metrics" and isinstance(value, dict):
            lines |= _answered_text(value)
        else:
            lines[name.replace("_", " ")] = value_text(value)
    lines |= _golden_texts("golden", _mapping(recorded.outputs.get("golden")))
    lines |= _golden_texts("stopped", stopped.reports if stopped else {})
    return facts(f"service {recorded.address.name}", lines)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _answered_text(metrics: Mapping[str, Json]) -> dict[str, str]:
    """What the live generation has answered since it started."""
    requests, errors = (f"{metrics.get(name) or 0:g}" for name in ("requests", "errors"))
    found = {"requests": f"{requests}, {errors} of them errors"}
    if metrics.get("requests"):
        found["latency"] = f"p50 {metrics.get('p50_ms')} ms, p99 {metrics.get('p99_ms')} ms"
    return found


def _golden_texts(label: str, reports: Mapping[str, Json]) -> dict[str, str]:
    """What golden requests came to, by their file: for what serves, when it was deployed."""
    from mlplan.views.golden import reports_text

    texts = reports_text(reports)
    return {label if place == 0 else f"{label} {place + 1}": text for place, text in enumerate(texts)}


def keys(pair: Mapping[str, str], *, form: str) -> str:
    """The keys of a service, the one word and the key a line."""
    return as_json(dict(pair)) if form == "json" else "".join(f"{which:<9}  {key}\n" for which, key in pair.items())


def collected_days(days: Sequence[Day], *, form: str) -> str:
    """What a service has kept of its requests, a day, version and kind a line."""
    if form == "json":
        return as_json(
            [
                {"day": day.day, **day.place._asdict(), "files": day.files, "records": day.records,
                 "size_bytes": day.size_bytes}
                for day in days
            ]
        )  # fmt: skip
    rows = [
        (day.day, f"{day.place.model}:{day.place.version}", day.place.designation, str(day.records),
         size_text(day.size_bytes))
        for day in days
    ]  # fmt: skip
    empty = "Nothing is kept. Requests and answers are, from an apply on, where the deployment has `collect: {}`."
    return table(("day", "model", "kind", "records", "size"), rows, empty=empty)


def history(commits: Sequence[Commit], *, form: str, limit: int = 0, now: float | None = None) -> str:
    """The log, a commit a paragraph: who, when, from which revision, and what it says.

    The newest comes first. With a `limit` only so many are shown; the others still tell what those speak of.
    """
    begun = _begun(commits)
    commits = commits[:limit] if limit else commits
    if form == "json":
        return as_json(
            [
                {
                    "serial": commit.serial,
                    "time": commit.time,
                    "who": commit.who,
                    "revision": commit.revision,
                    "command": commit.command,
                    "entries": [entry_text(entry, begun) for entry in commit.entries],
                }
                for commit in commits
            ]
        )
    if not commits:
        return "Nothing happened yet.\n"
    return "\n".join(_commit_text(commit, begun, now) for commit in commits)


def _begun(commits: Iterable[Commit]) -> dict[str, str]:
    """What each intent is about, by its key."""
    from mlplan.state.entries import IntentOpened

    opened = (entry for commit in commits for entry in commit.entries if isinstance(entry, IntentOpened))
    return {intent.key: f"{intent.action} of {intent.address}" for intent in opened}


def _commit_text(commit: Commit, begun: Mapping[str, str], now: float | None) -> str:
    revision = (
        f", at {commit.revision[:SHORT]}{'+' if commit.revision.endswith('+') else ''}" if commit.revision else ""
    )
    head = f"{commit.serial}  {time_text(commit.time, now)}  {commit.who}, `{commit.command}`{revision}\n"
    return head + "".join(f"    {entry_text(entry, begun)}\n" for entry in commit.entries)


def entry_text(entry: Entry, begun: Mapping[str, str]) -> str:
    """What an entry of the log says, in words. `begun` names intents by their keys."""
    from mlplan.state import entries as e

    if isinstance(entry, e.Created):
        return f"the workspace of {entry.project} began"
    if isinstance(entry, e.LeaseTaken):
        return "took the lease"
    if isinstance(entry, e.LeaseReleased):
        return "gave the lease back"
    if isinstance(entry, e.IntentOpened):
        return f"began to {entry.action} {entry.address}"
    if isinstance(entry, e.IntentClosed):
        why = f" ({entry.message})" if entry.message else ""
        return f"{begun.get(entry.key, 'an earlier change')}: {entry.outcome}{why}"
    if isinstance(entry, e.ResourceRecorded):
        return f"recorded {entry.address}"
    if isinstance(entry, e.ResourceRemoved):
        return f"removed {entry.address}"
    if isinstance(entry, e.ResourceMoved):
        return f"moved {entry.old} to {entry.new}"
    if isinstance(entry, e.Versioned):
        return f"registered {entry.address.kind} {entry.address.name}:{entry.number}"
    if isinstance(entry, e.RunEnded):
        return f"ran {entry.record.id}: {entry.record.status} after {duration_text(entry.record.duration_s)}"
    if isinstance(entry, e.SwitchStopped):
        return f"kept a candidate of {entry.address} from the traffic by {_joined(entry.reports)}"
    if isinstance(entry, e.Moved):
        return f"moved the workspace to {entry.place}"
    return f"collected {len(entry.digests)} artifacts"


def _current(address: Address, state: State) -> int | None:
    recorded = state.resources.get(address)
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


def _served_text(recorded: Recorded) -> str:
    versions_served = recorded.outputs.get("versions")
    if not isinstance(versions_served, dict):
        return ""
    return _joined(f"{name}:{number}" for name, number in versions_served.items())


def _metrics_text(metrics: Json) -> str:
    if not isinstance(metrics, dict):
        return ""
    numbers = ((name, value) for name, value in metrics.items() if isinstance(value, (int, float)))
    return _joined(f"{name} {value:.4g}" for name, value in numbers)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
