"""What jobs and services share of containers: limits, users, files in and out, and the engine's refusals."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.render.dockerfiles import VENV_PYTHON, base_image
from mlplan.targets.docker.archives import read_one, unpack
from mlplan.targets.docker.engine import refused
from mlplan.targets.docker.images import PROXIES, has_buildkit

if TYPE_CHECKING:
    from docker.types import LogConfig, Mount

    from mlplan.diagnostics import Diagnostic
    from mlplan.json_types import Json
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import Environment, Resources

USER = 10001
"""The user of a container where mlplan itself is run by root."""


def user_id() -> int:
    """The user inside containers: the one who runs mlplan, so that it reads what they may read; never root."""
    return os.getuid() or USER


def interpreter(environment: Environment | None) -> str:
    """The Python of an image with this environment."""
    return VENV_PYTHON if environment else "python3"


def base_of(compute: Mapping[str, Json], python: str | None) -> str:
    """The base image of a compute's images."""
    named = compute.get("base_image")
    return base_image(str(named) if named else None, python)


def problems(
    engine: Engine, compute: Mapping[str, Json], environment: Environment | None, resources: Resources
) -> list[Diagnostic]:
    """What the engine lacks for a container, and whether its base image is pinned. Raises: Refusal without engine."""
    engine.read("/_ping")
    found = []
    if compute.get("buildkit", True) and not has_buildkit(engine):
        found.append(
            codes.MLP8208.diagnostic(
                "This Docker engine can't build by BuildKit, so its older builder is asked.",
                hint="That one downloads packages anew for each environment. Where you know, write `buildkit: false` "
                "in the compute.",
            )
        )
    if resources.gpus and "nvidia" not in ((engine.read("/info") or {}).get("Runtimes") or {}):
        found.append(
            codes.MLP8211.diagnostic(
                f"{resources.gpus} GPU(s) are asked for, and this engine has no driver for them.",
                hint="Install the NVIDIA Container Toolkit, or leave `gpus` out.",
            )
        )
    found += _unreachable_indexes(environment)
    base = base_of(compute, environment.python if environment else None)
    if environment is None and not compute.get("base_image"):
        found.append(
            codes.MLP8213.diagnostic(
                f"It names no environment, so in its container there is what {base} has: Python and nothing else.",
                hint="Name the packages that it imports as its `environment`, or an image that has them as the "
                "compute's `base_image`.",
            )
        )
    if compute.get("base_image") and "@sha256:" not in base and not _is_local(engine, base):
        found.append(
            codes.MLP8207.diagnostic(
                f"The base image {base} is named by a tag, which can come to mean another image.",
                hint="Pin it: `base_image: NAME@sha256:DIGEST`.",
            )
        )
    return found


def _unreachable_indexes(environment: Environment | None) -> list[Diagnostic]:
    """The package indexes of an environment that the build of an image can't use."""
    lines = environment.requirements.splitlines() if environment else []
    options = [line for line in lines if line.startswith("--") and ("${" in line or "://" not in line)]
    return [
        codes.MLP8210.diagnostic(
            f"`{option}` can't be used where an image is built: "
            + ("it takes a secret from the environment." if "${" in option else "it is a folder of this machine."),
            hint="Use an index that asks for no password where images are built, or an image that has the packages "
            "as the compute's `base_image`.",
            severity="error",
        )
        for option in options
    ]


def _is_local(engine: Engine, name: str) -> bool:
    """Whether an image was made here and came from no registry: then it has no digest to pin it by."""
    image = engine.image(name)
    return image is not None and not image.get("RepoDigests")


def unreadable(folders: Iterable[str]) -> list[Diagnostic]:
    """The folders that a container's user may not read: where mlplan is run by root, what only root may read."""
    if os.getuid() != 0:
        return []
    return [
        codes.MLP8212.diagnostic(
            f"The container's user may not read {folder}.", hint=f"Make it readable:\n    chmod -R a+rX {folder}"
        )
        for folder in folders
        if not os.stat(folder).st_mode & stat.S_IROTH
    ]


def give(file: str) -> None:
    """Makes a file and its folder those of the container's user, where mlplan is run by root."""
    if os.getuid() == 0:
        os.chown(os.path.dirname(file), user_id(), 0)
        os.chown(file, user_id(), 0)


def limits(resources: Resources) -> dict[str, Any]:
    """Limits as the engine takes them. Memory is all there is: no swap beyond it."""
    found: dict[str, Any] = {}
    if resources.cpu is not None:
        found["nano_cpus"] = round(resources.cpu * 1e9)
    if resources.memory_bytes is not None:
        found |= {"mem_limit": resources.memory_bytes, "memswap_limit": resources.memory_bytes}
    if resources.shm_bytes is not None:
        found["shm_size"] = resources.shm_bytes
    if resources.gpus:
        from docker.types import DeviceRequest

        found["device_requests"] = [DeviceRequest(count=resources.gpus, capabilities=[["gpu"]])]
    return found


def log_config() -> LogConfig:
    """How the engine keeps output: readable through it, and bounded."""
    from docker.types import LogConfig

    return LogConfig(type="json-file", config={"max-size": "100m", "max-file": "3"})


def read_only(source: str, target: str) -> Mount:
    """A folder of this machine, to be read at `target`."""
    from docker.types import Mount

    return Mount(target=target, source=source, type="bind", read_only=True)


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """How to get through to the network."""
    return {name: environ[name] for name in PROXIES if environ.get(name)}


def fetch(engine: Engine, container: str, path: str, target: str) -> None:
    """Writes the files below a folder of the container's into an empty one here; nothing where there is no such."""
    import docker.errors

    try:
        archive, _ = engine.client.api.get_archive(container, path)
    except docker.errors.NotFound:
        return
    unpack(archive, target)


def output(engine: Engine, container: str, *, follow: bool) -> Iterator[bytes]:
    """What a container printed, in blocks; with `follow` as it comes, until it ends."""
    import docker.errors

    api = engine.client.api
    got = 0
    with contextlib.suppress(docker.errors.NotFound):  # it may be removed while somebody follows
        for block in api.logs(container, stream=True, follow=follow):
            got += len(block)
            yield block
        if follow:  # an engine may let a follower go before it has kept the last of it
            for block in api.logs(container, stream=True, follow=False):
                if got < len(block):
                    yield block[got:]
                got = max(0, got - len(block))


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines without their ends, of bytes that come in pieces."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if pending:
        yield pending.decode(errors="replace")


def read_file(engine: Engine, container: str, path: str) -> bytes | None:
    """One file of the container's, or None where it isn't there."""
    import docker.errors

    try:
        archive, _ = engine.client.api.get_archive(container, path)
    except docker.errors.NotFound:
        return None
    return read_one(archive)


def set_restart(engine: Engine, container: str, policy: Literal["no", "unless-stopped"]) -> None:
    """Sets whether the engine starts the container again when it ends."""
    wanted: Any = {"Name": policy, "MaximumRetryCount": 0}  # the package's type of it can't be imported
    engine.client.api.update_container(container, restart_policy=wanted)


def stop(engine: Engine, container: str, grace_s: int) -> None:
    """Ends a container: asked first, forced after `grace_s`. Fine where it is gone."""
    import docker.errors

    try:
        engine.client.api.stop(container, timeout=grace_s)
    except docker.errors.APIError as error:
        if error.status_code not in (304, 404):
            raise Refusal([refused("A container can't be stopped", str(error.explanation))]) from error


def remove(engine: Engine, container: str) -> None:
    """Ends a container and removes it; fine where it is gone, or going."""
    import docker.errors

    try:
        engine.client.api.remove_container(container, force=True, v=True)
    except docker.errors.APIError as error:
        if error.status_code not in (404, 409):
            raise Refusal([refused("A container can't be removed", str(error.explanation))]) from error


@contextlib.contextmanager
def making(what: str) -> Iterator[None]:
    """Says of the engine's refusals what they kept from happening. Raises: Refusal (MLP8206, MLP8209)."""
    import docker.errors

    try:
        yield
    except docker.errors.APIError as error:
        raise Refusal([refused(what, str(error.explanation or error))]) from error


@contextlib.contextmanager
def discarding(engine: Engine, container: str) -> Iterator[None]:
    """Removes a new container where what follows goes wrong."""
    try:
        yield
    except BaseException:
        remove(engine, container)
        raise
