"""What a service is made of on the engine: one door, and the containers of one generation or more.

    mlplan-<home>-<service>-door-<digits>                   has the published port: `inside/door.py`
    mlplan-<home>-<service>-<first ten of the key>-<digits>-<n>   one for each replica: `inside/service.py`
    mlplan-<home>-<service>                                  a volume in memory, where the door's socket is
    mlplan-<home>-<service>-...-tmp, -run                    volumes of one container: all that it may write to
    mlplan-<home>-<service>-records                          where one that collects keeps it: `records.py`

All that is known of them stands in their labels. A generation that went live has containers that the engine starts
again when they end, and says so itself; a candidate's it lets be. How they are now, and what somebody altered:
`observing.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mlplan.targets.docker import archives, containers, records
from mlplan.targets.docker.engine import LABEL, labels_of, with_prefix
from mlplan.targets.docker.inside import source

if TYPE_CHECKING:
    from docker.types import Mount

    from mlplan.json_types import Json
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import ServiceSpec

INNER_PORT = 5001
"""The port that a door listens on, inside; it is published as the deployment's."""
PRIVATE_PORT = 5002
"""The port of a service's container through which it is asked before it goes live."""
RUN = "/run/mlplan"
REPLICA = f"{RUN}/replica"
"""What is one replica's own: its configuration and its sockets."""
DOORS = f"{RUN}/doors"
KEYS = f"{RUN}/keys"
ALWAYS: Final = "unless-stopped"
LIMITS = {"NanoCpus": "cpu limit", "Memory": "memory limit"}
"""The limits of a container, as the engine calls them and as a user does."""


class Door(NamedTuple):
    """The container with the published port."""

    container: Mapping[str, Any]

    @property
    def place(self) -> tuple[str, int]:
        """Where clients find it: host and port, as the engine publishes it now; ("", 0) where nowhere."""
        published = (self.container["HostConfig"].get("PortBindings") or {}).get(f"{INNER_PORT}/tcp") or [{}]
        return str(published[0].get("HostIp", "")), int(published[0].get("HostPort") or 0)

    @property
    def path(self) -> str:
        """Its unix socket, as the containers see it."""
        return f"{DOORS}/{labels_of(self.container)['mark']}.sock"

    @property
    def is_open(self) -> bool:
        """Whether it runs."""
        return bool(self.container["State"]["Running"])


class Generation(NamedTuple):
    """The containers of one generation."""

    containers: tuple[Mapping[str, Any], ...]
    was_live: bool = False
    """Whether it went live, or was about to."""

    @property
    def key(self) -> str:
        """The key that it was deployed with."""
        return self._labels["key"]

    @property
    def mark(self) -> str:
        """What tells it from another one with the same key."""
        return self._labels["mark"]

    @property
    def place(self) -> tuple[str, int]:
        """Where clients find it: host and port."""
        return self._labels["host"], int(self._labels["port"])

    @property
    def running(self) -> list[Mapping[str, Any]]:
        """Those of its containers that run. Of one that waits to be started again the engine says that, too."""
        return [c for c in self.containers if c["State"]["Running"] and not c["State"]["Restarting"]]

    @property
    def replicas(self) -> int:
        """How many containers it was made with."""
        return int(self._labels["replicas"])

    @property
    def image(self) -> tuple[str, str]:
        """Its image, as a tag and an id."""
        return self._labels["image"], str(self.containers[0]["Image"])

    @property
    def asked_limits(self) -> dict[str, int]:
        """The limits it was made with, as the engine calls them."""
        limits: dict[str, int] = json.loads(self._labels["limits"])
        return limits

    @property
    def _labels(self) -> dict[str, str]:
        return labels_of(self.containers[0])


class Found(NamedTuple):
    """All of a service's containers, the youngest last."""

    doors: tuple[Door, ...]
    generations: tuple[Generation, ...]

    @property
    def live(self) -> Generation | None:
        """The youngest generation that went live and still runs, or None."""
        return next((g for g in reversed(self.generations) if g.was_live and g.running), None)

    def door(self, place: tuple[str, int]) -> Door | None:
        """The door at this place."""
        return next((door for door in reversed(self.doors) if door.place == place), None)


def find(engine: Engine, home: str, name: str) -> Found:
    """What there is of a service."""
    doors: list[Door] = []
    by_mark: dict[str, list[Mapping[str, Any]]] = {}
    for container in engine.containers({"home": home, "service": name}):
        labels = labels_of(container)
        if labels["role"] == "door":
            doors.append(Door(container))
        else:
            by_mark.setdefault(labels["mark"], []).append(container)
    return Found(tuple(doors), tuple(_generation(engine, group) for group in by_mark.values()))


def _generation(engine: Engine, group: Sequence[Mapping[str, Any]]) -> Generation:
    """A generation, asked whether it was live where the engine doesn't start it again: somebody may have changed
    that."""
    was_live = any(restart_policy(c) == ALWAYS for c in group) or any(went_live(engine, c) for c in group)
    return Generation(tuple(group), was_live)


def restart_policy(container: Mapping[str, Any]) -> str:
    """When the engine starts a container again."""
    return str(container["HostConfig"]["RestartPolicy"]["Name"] or "no")


def went_live(engine: Engine, container: Mapping[str, Any]) -> bool:
    """Whether a container has noted that it went live (`inside/service.py`)."""
    return engine.read(f"/containers/{container['Id']}/archive", path=f"{REPLICA}/live") is not None


def make_door(engine: Engine, home: str, spec: ServiceSpec, image: str, package: str) -> Door:
    """A new door, open; `package` is the folder of the scoring runtime.

    Raises: docker.errors.APIError, where its port is taken for one; nothing is left then.
    """
    from docker.types import Mount

    api = engine.client.api
    mark = secrets.token_hex(4)
    labels = {**_common_labels(spec, home), "role": "door", "mark": mark}
    volume = _volume(engine, home, spec)
    created = api.create_container(
        image,
        name=f"{_name(home, spec.name)}-door-{mark}",
        entrypoint=["python3", "-I", "-B", "-u", "/opt/mlplan/door.py", str(INNER_PORT), f"{DOORS}/{mark}.sock"],
        command=[],
        user=f"{containers.user_id()}:0",
        ports=[INNER_PORT],
        healthcheck={"test": ["NONE"]},
        labels=with_prefix(labels),
        host_config=api.create_host_config(
            port_bindings={INNER_PORT: (spec.host, spec.port)},
            mounts=[Mount(target=DOORS, source=volume, type="volume")],
            restart_policy={"Name": ALWAYS},
            log_config=containers.log_config(),
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        ),
    )
    container = str(created["Id"])
    with containers.discarding(engine, container):
        laid = [
            archives.folder("opt/mlplan"),
            archives.text("opt/mlplan/door.py", source("door")),
            archives.Entry("opt/mlplan/control.py", source=os.path.join(package, "control.py")),
        ]
        api.put_archive(container, "/", b"".join(archives.pack(laid)))
        api.start(container)
    return Door(engine.container(container) or {})


class _Candidate(NamedTuple):
    """What every container of one generation is made of."""

    home: str
    spec: ServiceSpec
    image: Mapping[str, Any]
    door: Door
    config: Mapping[str, Json]
    mark: str


def make_candidate(
    engine: Engine, home: str, spec: ServiceSpec, image: Mapping[str, Any], door: Door, config: Mapping[str, Json]
) -> Generation:
    """The containers of a new generation, started. Raises: docker.errors.APIError; nothing is left then."""
    candidate = _Candidate(home, spec, image, door, config, secrets.token_hex(4))
    made: list[str] = []
    try:
        for number in range(1, spec.replicas + 1):
            made.append(_make_replica(engine, candidate, number))
            engine.client.api.start(made[-1])
    except BaseException:
        for container in made:
            containers.remove(engine, container)
        remove_volumes(engine, {"home": home, "mark": candidate.mark})
        raise
    return reload(engine, made)


def reload(engine: Engine, names: Sequence[str]) -> Generation:
    """The generation of these containers, as they are now."""
    return Generation(tuple(found for name in names if (found := engine.container(name)) is not None))


def _make_replica(engine: Engine, candidate: _Candidate, number: int) -> str:
    """The id of a new container, with all that it reads laid into it."""
    api, spec = engine.client.api, candidate.spec
    key = re.sub(r"[^A-Za-z0-9]", "", spec.key)[:10]
    name = f"{_name(candidate.home, spec.name)}-{key}-{candidate.mark}-{number}"
    host_config = api.create_host_config(
        port_bindings={PRIVATE_PORT: ("127.0.0.1",)},
        mounts=_mounts(engine, candidate, name),
        restart_policy={"Name": "no"},
        read_only=True,  # so nobody can alter a service from inside
        log_config=containers.log_config(),
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        **containers.limits(spec.resources),
    )
    created = api.create_container(
        str(candidate.image["Id"]),
        name=name,
        user=f"{containers.user_id()}:0",
        ports=[PRIVATE_PORT],
        environment=containers.proxies(os.environ),
        labels=with_prefix(_replica_labels(candidate, host_config)),
        host_config=host_config,
    )
    container = str(created["Id"])
    with containers.discarding(engine, container):
        _lay_into(engine, candidate, container)
    return container


def _mounts(engine: Engine, candidate: _Candidate, name: str) -> list[Mount]:
    """All that a replica may write to, where it meets the door, and its keys."""
    from docker.types import Mount

    own = with_prefix({**_common_labels(candidate.spec, candidate.home), "mark": candidate.mark})
    mounts = [
        Mount(target="/tmp", source=f"{name}-tmp", type="volume", labels=own),
        Mount(target=RUN, source=f"{name}-run", type="volume", labels=own),
        Mount(target=DOORS, source=_name(candidate.home, candidate.spec.name), type="volume"),
        *records.mount(engine, candidate.home, candidate.spec),
    ]
    if candidate.spec.keys_file is not None:
        mounts.append(containers.read_only(os.path.dirname(candidate.spec.keys_file), KEYS))
    return mounts


def _replica_labels(candidate: _Candidate, host_config: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a replica later, all of it: nothing else is kept."""
    spec = candidate.spec
    return {
        **spec.labels,
        **_common_labels(spec, candidate.home),
        "role": "service",
        "mark": candidate.mark,
        "key": spec.key,
        "replicas": str(spec.replicas),
        "image": next((tag for tag in candidate.image["RepoTags"] if tag.startswith("mlplan/")), ""),
        "limits": json.dumps({name: int(host_config.get(name) or 0) for name in LIMITS}),
        **({"keys": os.path.basename(spec.keys_file)} if spec.keys_file else {}),
    }


def _lay_into(engine: Engine, candidate: _Candidate, container: str) -> None:
    """Writes what a replica reads when it starts, for its user alone."""
    uid = containers.user_id()
    laid = [
        archives.folder("replica", uid=uid, mode=0o700),
        archives.text("replica/service.json", json.dumps(candidate.config), mode=0o400, uid=uid),
        archives.text("replica/door.json", json.dumps({"path": candidate.door.path}), mode=0o400, uid=uid),
        archives.text("replica/secrets.json", json.dumps(list(candidate.spec.secrets)), mode=0o400, uid=uid),
    ]
    engine.client.api.put_archive(container, RUN, b"".join(archives.pack(laid)))
    if candidate.spec.collect is not None:
        records.lay(engine, container, uid)


def private_port(container: Mapping[str, Any]) -> int:
    """The port of this machine at which a replica answers, live or not; 0 where it has none."""
    bindings = (container["NetworkSettings"]["Ports"] or {}).get(f"{PRIVATE_PORT}/tcp") or [{"HostPort": "0"}]
    return int(bindings[0]["HostPort"])


def _volume(engine: Engine, home: str, spec: ServiceSpec) -> str:
    """The name of the volume in which door and containers meet; made where it isn't there."""
    name = _name(home, spec.name)
    engine.client.api.create_volume(
        name,
        driver="local",
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "mode=1777,size=1m"},
        labels=with_prefix(_common_labels(spec, home)),
    )
    return name


def remove_volumes(engine: Engine, labels: Mapping[str, str]) -> None:
    """Removes our volumes with these labels that no container uses."""
    import docker.errors

    for volume in unused_volumes(engine, labels):
        with contextlib.suppress(docker.errors.APIError):  # in use, or gone meanwhile: both as it should be
            engine.client.api.remove_volume(volume)


def unused_volumes(engine: Engine, labels: Mapping[str, str]) -> list[str]:
    """The names of our volumes with these labels that no container uses."""
    wanted = {"label": [f"{LABEL}{name}={value}" for name, value in labels.items()], "dangling": ["true"]}
    listed = engine.read("/volumes", filters=wanted) or {}
    return sorted(volume["Name"] for volume in listed.get("Volumes") or ())


def _common_labels(spec: ServiceSpec, home: str) -> dict[str, str]:
    return {
        "project": spec.project,
        "home": home,
        "service": spec.name,
        "host": spec.host,
        "port": str(spec.port),
    }


def _name(home: str, service: str) -> str:
    return f"mlplan-{home[:6]}-{service}"
