"""What services keep of their requests (`collect`): a volume for each of them, which outlives its containers.

    mlplan-<home>-<service>-records    mounted at RECORDS by every replica of every generation that collects

A volume, and no folder of this machine: the user of a container may write to it whatever that user is here (an engine
can have users of its own), and it works with an engine anywhere. It is read through the engine. When no container
uses it any more, because the service was removed or collects no longer, its records come home, to the folder that
the volume's label names, and it goes: nothing is lost, and nothing stays on the engine. How records are written:
`serving/collect.py`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tarfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlplan.errors import Refusal
from mlplan.targets.docker import archives, containers
from mlplan.targets.docker.containers import fetch
from mlplan.targets.docker.engine import LABEL, refused, with_prefix
from mlplan.targets.protocols import KeptFile

if TYPE_CHECKING:
    from docker.types import Mount

    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import ServiceSpec

RECORDS = "/run/mlplan/records"
"""Where containers see the volume."""
FOLDER = "kept"
"""What the container's user may write to, in it."""
_READER = "reader"


def mount(engine: Engine, home: str, spec: ServiceSpec) -> list[Mount]:
    """The volume of a service that collects, made where it isn't there; nothing for one that doesn't.

    What came home of an earlier one is cut to what the service may keep.
    """
    if spec.collect is None:
        return []
    from docker.types import Mount

    from mlplan.serving.collect import make_room

    folder = str(spec.collect["folder"])
    make_room(folder, int(str(spec.collect["max_bytes"])))
    name = f"mlplan-{home[:6]}-{spec.name}-records"
    labels = {"project": spec.project, "home": home, "records": spec.name, "folder": folder}
    engine.client.api.create_volume(name, driver="local", labels=with_prefix(labels))
    return [Mount(target=RECORDS, source=name, type="volume")]


def lay(engine: Engine, container: str, uid: int) -> None:
    """Makes the folder in the volume that the container's user writes to."""
    packed = archives.pack([archives.folder(FOLDER, uid=uid, mode=0o700)])
    engine.client.api.put_archive(container, RECORDS, b"".join(packed))


def kept(engine: Engine, home: str, service: str) -> Iterator[KeptFile]:
    """The files of a service's records, read one after the other as the engine sends them."""
    import docker.errors

    for volume in _volumes(engine, {"home": home, "records": service}):
        with _reader(engine, home, volume["Name"]) as container, containers.making(_unread(service)):
            try:
                archive, _ = engine.client.api.get_archive(container, f"{RECORDS}/{FOLDER}")
            except docker.errors.NotFound:
                return
            try:
                yield from _files(archive)
            except tarfile.TarError as error:  # the oldest file went while the engine read it
                raise Refusal([refused(_unread(service), f"{error}; try again")]) from error


def bring_home(engine: Engine, home: str, service: str | None = None) -> None:
    """Moves the records of volumes that no container uses to this machine: a service's, or all. Raises: Refusal where
    that can't be; then they stay where they are."""
    for reader in engine.containers({"home": home, "role": _READER}):  # of a process that was killed
        containers.remove(engine, reader["Id"])
    labels = {"home": home} | ({"records": service} if service else {})
    for volume in _volumes(engine, labels, unused=True):
        labelled = {name.removeprefix(LABEL): value for name, value in volume["Labels"].items()}
        if "records" in labelled:
            _move(engine, home, volume["Name"], labelled["records"], labelled["folder"])


def _move(engine: Engine, home: str, volume: str, service: str, folder: str) -> None:
    """Writes what is in a volume to a folder here, and removes the volume."""
    what = f"The records of service {service} can't be brought to {folder}"
    with containers.making(what):
        with _reader(engine, home, volume) as container:
            try:
                os.makedirs(folder, mode=0o700, exist_ok=True)
                fetch(engine, container, f"{RECORDS}/{FOLDER}", folder)
            except (OSError, tarfile.TarError) as error:
                raise Refusal([refused(what, str(error))]) from error
        engine.client.api.remove_volume(volume)
    with contextlib.suppress(OSError):  # where nothing was kept, it is empty
        os.rmdir(folder)


def _files(archive: Iterator[bytes]) -> Iterator[KeptFile]:
    with tarfile.open(fileobj=archives.stream(archive), mode="r|") as packed:
        for member in packed:
            lines = packed.extractfile(member)
            if lines is not None:
                yield KeptFile(member.name.partition("/")[2], lines)


def _unread(service: str) -> str:
    return f"The records of service {service} can't be read"


def _volumes(engine: Engine, labels: Mapping[str, str], *, unused: bool = False) -> list[dict[str, Any]]:
    """Our volumes with these labels, all or those that no container uses."""
    wanted = {"label": [f"{LABEL}{name}={value}" for name, value in labels.items()]}
    listed = engine.read("/volumes", filters=wanted | ({"dangling": ["true"]} if unused else {})) or {}
    return list(listed.get("Volumes") or ())


@contextlib.contextmanager
def _reader(engine: Engine, home: str, volume: str) -> Iterator[str]:
    """A container that has a volume, so that the engine shows what is in it: the service's, or one that is made for
    this, never started, of an image with nothing in it."""
    users = engine.read("/containers/json", all=1, filters={"volume": [volume]})
    if users:
        yield str(users[0]["Id"])
        return
    import json

    from docker.types import Mount

    api = engine.client.api
    label = f"LABEL {LABEL}home={home}"
    made = api.import_image_from_data(bytes(2 * tarfile.BLOCKSIZE), changes=[label])
    image = str(json.loads(made.splitlines()[-1])["status"])
    try:
        created = api.create_container(
            image,
            command=["none"],
            name=f"mlplan-{home[:6]}-{_READER}-{secrets.token_hex(4)}",
            labels=with_prefix({"home": home, "role": _READER}),
            host_config=api.create_host_config(
                mounts=[Mount(target=RECORDS, source=volume, type="volume", read_only=True)]
            ),
        )
        try:
            yield str(created["Id"])
        finally:
            containers.remove(engine, created["Id"])
    finally:
        api.remove_image(image)
