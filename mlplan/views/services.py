"""Services, shown: what they are now beside what is recorded of them, their keys, what they kept; as text or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.address import sort_key
from mlplan.views.golden import reports_facts
from mlplan.views.tables import as_json, facts, table
from mlplan.views.values import SHORT_DIGEST, duration_text, size_text, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlplan.address import Address
    from mlplan.json_types import Json
    from mlplan.kinds.deployment.collected import Day
    from mlplan.state.records import Recorded, State, Stopped
    from mlplan.world import ObservedService


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
    lines = {
        "state": now.state,
        "scoring uri": str(recorded.outputs.get("scoring_uri") or ""),
        "models": _served_text(recorded),
        "serves": _serves_text(recorded, now),
        **_detail_facts(now.detail),
        **reports_facts("golden", recorded.outputs.get("golden")),
        **reports_facts("stopped", stopped.reports if stopped else {}),
    }
    return facts(f"service {recorded.address.name}", lines)


def _served_text(recorded: Recorded) -> str:
    versions = recorded.outputs.get("versions")
    if not isinstance(versions, dict):
        return ""
    return ", ".join(f"{name}:{number}" for name, number in versions.items())


def _serves_text(recorded: Recorded, now: ObservedService) -> str:
    """Whether it serves what was deployed, by the digest that it tells; empty where it tells none."""
    if not now.digest:
        return ""
    as_deployed = now.digest == recorded.outputs.get("digest")
    return "as deployed" if as_deployed else f"another digest: {now.digest[:SHORT_DIGEST]}"


def _detail_facts(detail: Mapping[str, Json]) -> dict[str, str]:
    """What its target tells of it beyond what every service has."""
    found: dict[str, str] = {}
    for name, value in detail.items():
        if value in (None, [], (), {}, ""):
            continue
        if name == "uptime_s" and isinstance(value, (int, float)):
            found["uptime"] = duration_text(value)
        elif name == "metrics" and isinstance(value, dict):
            found |= _answered_facts(value)
        else:
            found[name.replace("_", " ")] = value_text(value)
    return found


def _answered_facts(metrics: Mapping[str, Json]) -> dict[str, str]:
    """What the live generation has answered since it started."""
    requests, errors = (f"{metrics.get(name) or 0:g}" for name in ("requests", "errors"))
    found = {"requests": f"{requests}, {errors} of them errors"}
    if metrics.get("requests"):
        found["latency"] = f"p50 {metrics.get('p50_ms')} ms, p99 {metrics.get('p99_ms')} ms"
    return found


def keys(pair: Mapping[str, str], *, form: str) -> str:
    """The keys of a service, the one word and the key a line."""
    return as_json(dict(pair)) if form == "json" else "".join(f"{which:<9}  {key}\n" for which, key in pair.items())


def collected_days(days: Sequence[Day], *, form: str) -> str:
    """What a service has kept of its requests, a day, version and kind a line."""
    if form == "json":
        return as_json([_day_json(day) for day in days])
    rows = [
        (
            day.day,
            f"{day.place.model}:{day.place.version}",
            day.place.designation,
            str(day.records),
            size_text(day.size_bytes),
        )
        for day in days
    ]
    empty = "Nothing is kept. Requests and answers are, from an apply on, where the deployment has `collect: {}`."
    return table(("day", "model", "kind", "records", "size"), rows, empty=empty)


def _day_json(day: Day) -> Json:
    return {
        "day": day.day,
        **day.place._asdict(),
        "files": day.files,
        "records": day.records,
        "size_bytes": day.size_bytes,
    }
