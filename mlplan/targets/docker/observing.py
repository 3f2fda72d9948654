"""A service as it is now: what it answers, what the engine says of its containers, what somebody altered on them.

On the way of every `plan`, so it only reads, by hand over the engine's socket and the service's ports. What a service
is made of: `generations.py`; how what is found here is mended: `services.py`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlplan.machine.files import read_json
from mlplan.machine.ports import health, page, url
from mlplan.serving import GAVE_UP
from mlplan.targets.docker.answered import answered
from mlplan.targets.docker.engine import labels_of
from mlplan.targets.docker.generations import (
    ALWAYS,
    KEYS,
    LIMITS,
    Door,
    Found,
    Generation,
    private_port,
    restart_policy,
    went_live,
)
from mlplan.targets.docker.inside import DOOR_GONE
from mlplan.world import ObservedService, ServiceState

if TYPE_CHECKING:
    from mlplan.json_types import Json
    from mlplan.targets.docker.engine import Engine

Edit = tuple[str, str, "Json", "Json"]
"""What somebody altered: subject, how, as it was made, as it is."""

_HEALTH_S = 2.0
_LAST_WORDS = 10  # lines of its log


def observe(engine: Engine, found: Found) -> ObservedService:
    """The service that these containers are."""
    if not found.generations:
        return ObservedService("Absent", detail={"problem": "its containers were removed"} if found.doors else {})
    if found.live is not None:
        return _observe_live(engine, found.live, found)
    dead = next((g for g in reversed(found.generations) if g.was_live), None)
    if dead is None:
        return ObservedService("Transitioning", key=found.generations[-1].key)
    if dead.containers[0]["State"]["ExitCode"] == DOOR_GONE:
        problem = _why_closed(found.door(dead.place), found.doors)
    else:
        problem = _how_ended(engine, dead)
    return ObservedService("Failed", dead.key, "", f"{url(*dead.place)}/score", {"problem": problem})


def edits(engine: Engine, generation: Generation) -> Iterator[Edit]:
    """What somebody altered on a generation."""
    altered: dict[Edit, None] = {}
    for container in generation.containers:
        altered |= dict.fromkeys(_edits_of(engine, container, generation.asked_limits))
    yield from altered
    tag, made_of = generation.image
    image = engine.image(tag)
    if image is None:
        yield f"image {tag}", "untagged", None, None
    elif image["Id"] != made_of:
        yield f"image {tag}", "re-tagged", _short_id(made_of), _short_id(str(image["Id"]))


def _edits_of(engine: Engine, container: Mapping[str, Any], limits: Mapping[str, int]) -> Iterator[Edit]:
    for name, asked in limits.items():
        now = int(container["HostConfig"].get(name) or 0)
        if now != asked:
            yield LIMITS[name], "edited", _shown(name, asked), _shown(name, now)
    policy = restart_policy(container)
    # One that is not live yet has another policy, also where a deploy was killed between two replicas.
    if policy != ALWAYS and went_live(engine, container):
        yield "restart policy", "changed", ALWAYS, policy


def _observe_live(engine: Engine, live: Generation, found: Found) -> ObservedService:
    first = live.running[0]
    detail: dict[str, Json] = {"pid": first["State"]["Pid"], "container": first["Id"][:12], **_counted(live)}
    door = found.door(live.place)
    altered = list(edits(engine, live))
    if door is not None and restart_policy(door.container) != ALWAYS:
        altered.append(("restart policy of its port", "changed", ALWAYS, restart_policy(door.container)))
    if altered:
        detail["edited"] = [list(edit) for edit in altered]
    uri = f"{url(*live.place)}/score"
    if door is None or not door.is_open:
        detail["problem"] = _why_closed(door, found.doors)
        return ObservedService("Failed", live.key, "", uri, detail)
    answer = health(*live.place, timeout_s=_HEALTH_S)
    state: ServiceState = "Healthy" if answer.status == 200 else "Unhealthy"
    if answer.status != 200:
        detail["problem"] = answer.problem or f"it answers with status {answer.status}"
    elif len(live.running) < live.replicas:
        state = "Unhealthy"
        detail["problem"] = f"of its {live.replicas} replicas {len(live.running)} run"
    return ObservedService(state, live.key, answer.digest, uri, detail)


def _counted(live: Generation) -> dict[str, Json]:
    """What all replicas together have answered, how often one was started again, since when the first one runs."""
    pages = [_metrics(container) for container in live.running]
    found = answered([text for text in pages if text])
    restarts = sum(int(container["RestartCount"]) for container in live.containers) + found.restarts
    return {
        **({"restarts": restarts} if restarts else {}),
        **({"metrics": found.metrics} if any(pages) else {}),
        "uptime_s": round(max(time.time() - _started(container) for container in live.running), 1),
    }


def _metrics(container: Mapping[str, Any]) -> str:
    """What a replica says of itself at `/metrics`; "" where it doesn't answer."""
    folder = next((mount["Source"] for mount in container["Mounts"] if mount["Destination"] == KEYS), "")
    file = labels_of(container).get("keys")
    keys = read_json(os.path.join(folder, file)) if file else None
    key = str((keys or {}).get("primary", ""))
    return page("127.0.0.1", private_port(container), "/metrics", key=key, timeout_s=_HEALTH_S)


def _started(container: Mapping[str, Any]) -> float:
    """When it was started the last time, in seconds since 1970. The engine says it in UTC, to the nanosecond."""
    from datetime import datetime

    return datetime.fromisoformat(f"{container['State']['StartedAt'][:19]}+00:00").timestamp()


def _shown(limit: str, amount: int) -> str:
    """A limit as a user would write it."""
    if not amount:
        return "none"
    if limit == "NanoCpus":
        return f"{amount / 1e9:g}"
    return f"{amount >> 20}Mi" if amount % (1 << 20) == 0 else str(amount)


def _short_id(image: str) -> str:
    return image.partition(":")[2][:12]


def _how_ended(engine: Engine, dead: Generation) -> str:
    """Why a generation that was live runs no more: its runtime's last words, where it gave up."""
    first = dead.containers[0]
    state = first["State"]
    if state["ExitCode"] == 0:
        return "its container was stopped"
    if state["OOMKilled"]:
        return "it ran out of memory"
    said = str(engine.read(f"/containers/{first['Id']}/logs", stdout=1, stderr=1, tail=_LAST_WORDS) or "")
    reason = said.rpartition(GAVE_UP)[2].partition("\n")[0] if GAVE_UP in said else ""
    return reason or f"its container ended with exit code {state['ExitCode']}"


def _why_closed(door: Door | None, doors: Sequence[Door]) -> str:
    """Why clients don't get through to a generation that runs; `door` is the one at its place."""
    if door is not None:
        return "the container with its port was stopped"
    if not doors:
        return "the container with its port was removed"
    host, port = doors[-1].place
    return f"its port was changed to {port} of {host}" if port else "its port is published no more"
