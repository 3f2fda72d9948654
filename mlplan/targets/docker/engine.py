"""The Docker engine of this machine: where it is, what it knows, and what it says when something is wrong.

Questions go over its socket by hand: `plan` asks on its way, and the `docker` package takes a quarter of a second to
import. Everything that changes something goes through that package.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mlplan.codes import target as codes
from mlplan.errors import Refusal

if TYPE_CHECKING:
    import docker

    from mlplan.diagnostics import Diagnostic

LABEL = "dev.mlplan."
"""What the names of all our labels begin with."""
DEFAULT_SOCKET = "/var/run/docker.sock"
_PATIENCE_S = 60.0
"""How long the engine may take for a short answer."""
_SLOW_S = 600.0
"""How long it may take for a large one: a started container, a fetched folder."""


class Engine:
    """The engine behind the socket that `environ` leads to. Opens nothing until it is asked."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    @cached_property
    def socket(self) -> str:
        """The path of its socket. Raises: Refusal (MLP8203) where it is on another machine."""
        host = self._environ.get("DOCKER_HOST") or _context_host(self._environ) or f"unix://{DEFAULT_SOCKET}"
        scheme, _, path = host.partition("://")
        if scheme != "unix":
            raise Refusal(
                [
                    codes.MLP8203.diagnostic(
                        f"The Docker engine is at {host}. Containers there don't see the folders of this machine.",
                        hint="Use an engine on this machine:\n    unset DOCKER_HOST\n    docker context use default",
                    )
                ]
            )
        return path

    @cached_property
    def client(self) -> docker.DockerClient:
        """The engine as the `docker` package shows it. Raises: Refusal (MLP8201 to MLP8203)."""
        import docker

        self.read("/_ping")  # says better than the package what is wrong
        return docker.DockerClient(base_url=f"unix://{self.socket}", version="auto", timeout=int(_SLOW_S))

    def read(self, path: str, /, **query: Any) -> Any:
        """What it answers to a GET: decoded JSON, text where it is none, None where it knows no such thing.

        Raises: Refusal (MLP8201, MLP8202) where it can't be asked, MLP8209 where it fails.
        """
        words = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in query.items()}
        target = quote(path) + (f"?{urlencode(words)}" if words else "")
        with self._asking(), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(self.socket)
            # HTTP/1.0, so that the answer comes in one piece and ends with the connection.
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: docker\r\n\r\n".encode("ascii"))
            answer = b"".join(iter(lambda: connection.recv(1 << 18), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(None, 2)[1]) if head.startswith(b"HTTP/") else 0
        if status == 404:
            return None
        try:
            value = json.loads(body)
        except ValueError:
            value = body.decode(errors="replace")
        if status != 200:
            message = value.get("message") if isinstance(value, dict) else value
            raise Refusal([codes.MLP8209.diagnostic(f"The Docker engine answers {status}: {message}")])
        return value

    def containers(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """All containers with these labels (their names without the prefix), running or not, in full; the oldest
        first."""
        wanted = {"label": [f"{LABEL}{name}={value}" for name, value in labels.items()]}
        listed = self.read("/containers/json", all=1, filters=wanted) or []
        found = [self.read(f"/containers/{entry['Id']}/json") for entry in listed]
        return sorted((c for c in found if c), key=lambda c: str(c["Created"]))  # None: removed meanwhile

    def container(self, name: str) -> dict[str, Any] | None:
        """One container by its name or id, in full."""
        found: dict[str, Any] | None = self.read(f"/containers/{name}/json")
        return found

    def image(self, name: str) -> dict[str, Any] | None:
        """One image by its name or id."""
        found: dict[str, Any] | None = self.read(f"/images/{name}/json")
        return found

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise Refusal([_not_allowed(self.socket)]) from error
        except OSError as error:
            raise Refusal([_no_engine(self.socket, error)]) from error


def labels_of(container: Mapping[str, Any]) -> dict[str, str]:
    """Our labels on a container or an image, without their prefix."""
    labels = container["Config"].get("Labels") or {}
    return {name[len(LABEL) :]: value for name, value in labels.items() if name.startswith(LABEL)}


def with_prefix(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as the engine keeps them."""
    return {f"{LABEL}{name}": value for name, value in labels.items()}


def is_full(message: str) -> bool:
    """Whether the engine says that a disk is full."""
    return "no space left on device" in message.lower()


def refused(what: str, message: str) -> Diagnostic:
    """What the engine says when it won't do something."""
    if is_full(message):
        return codes.MLP8206.diagnostic(
            f"{what}: {message}",
            hint="See what takes the room, and remove what isn't used:\n    docker system df\n    mlplan gc\n"
            "    docker builder prune",
        )
    return codes.MLP8209.diagnostic(f"{what}: {message}", hint="Mend this and run\n    mlplan apply")


def _context_host(environ: Mapping[str, str]) -> str | None:
    """The engine of the context that `docker` has been told to use, or None."""
    import hashlib

    home = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", ""), ".docker")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        name = environ.get("DOCKER_CONTEXT") or _read_json(os.path.join(home, "config.json"))["currentContext"]
        folder = hashlib.sha256(name.encode()).hexdigest()
        meta = _read_json(os.path.join(home, "contexts", "meta", folder, "meta.json"))
        return str(meta["Endpoints"]["docker"]["Host"])
    return None


def _read_json(path: str) -> Any:
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def _no_engine(path: str, error: OSError) -> Diagnostic:
    return codes.MLP8201.diagnostic(
        f"Nothing answers at {path}: {error.strerror or error}.",
        hint="Start the Docker engine, then see that this answers:\n    docker version",
    )


def _not_allowed(path: str) -> Diagnostic:
    return codes.MLP8202.diagnostic(
        f"This user may not open {path}.",
        hint="Add the user to the socket's group, then log in again:\n    sudo usermod -aG docker $USER",
    )
