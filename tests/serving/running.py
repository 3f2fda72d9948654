"""A service for a test: laid out in a folder as a target does it, started as a target starts it."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import mlplan.serving
from mlplan.serving import RUNTIME_MAIN, control

PACKAGE = os.path.dirname(mlplan.serving.__file__)
START_S = 60.0
KEYS = {"primary": "first-" + "k" * 26, "secondary": "second-" + "k" * 25}


class Answer(NamedTuple):
    """What a client gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """One generation."""

    def __init__(self, folder: str, config: dict[str, Any], *, live: bool) -> None:
        self.folder = folder
        self.config = config
        self.control = str(config["control"])
        self.log_path = os.path.join(folder, "log.txt")
        path = os.path.join(folder, "service.json")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(config, stream)
        with open(self.log_path, "ab") as log:
            command = [sys.executable, "-I", "-B", "-u", os.path.join(folder, "runtime"), "serve", path]
            self.process = subprocess.Popen(
                command + (["--live"] if live else []), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._port = int(config["port"]) if live else 0

    @property
    def log(self) -> str:
        with open(self.log_path, encoding="utf-8", errors="replace") as stream:
            return stream.read()

    @property
    def status(self) -> dict[str, Any]:
        return control.ask(self.control, {"do": "status"})

    @property
    def port(self) -> int:
        """Where to ask it: in private until it is live."""
        if not self._port:
            self._port = int(self.status["candidate_url"].rpartition(":")[2])
        return self._port

    def wait(self, phase: str) -> dict[str, Any]:
        """Its status once it has come to a phase."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                status = self.status
            except OSError:
                if self.process.poll() is not None and phase != "failed":
                    raise AssertionError(f"it ended with {self.process.returncode}:\n{self.log}") from None
            else:
                if status["phase"] == phase:
                    return status
                if status["phase"] == "failed":
                    raise AssertionError(f"it failed:\n{self.log}")
            time.sleep(0.01)
        raise AssertionError(f"it didn't get {phase} in time:\n{self.log}")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> Answer:
        """An answer over a connection of its own. A body that isn't bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            return ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def score(self, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer of the model."""
        return self.ask("POST", "/score", body, headers)

    def raw(self, data: bytes, timeout_s: float = 10.0) -> bytes:
        """All that comes back for bytes sent as they are, until the service closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            connection.sendall(data)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received

    def stop(self, grace_s: float = 5.0) -> int:
        """Ends it in order; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(grace_s + 5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return int(self.process.returncode)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An answer over a connection that is kept."""
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("content-type", "application/json")
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def lay_out(
    folder: str, *, script: str | None = None, models: Mapping[str, Any] | None = None, **given: Any
) -> dict[str, Any]:
    """Makes a generation's folder. `models` maps `name/version`, or `name/version/file`, to a
    fitted estimator or the bytes of a file.

    What comes back is its configuration; `given` says what of it isn't the usual.
    """
    app = os.path.join(folder, "app")
    os.makedirs(os.path.join(app, "scripts"))
    os.makedirs(os.path.join(folder, "runtime"))
    shutil.copytree(
        PACKAGE, os.path.join(folder, "runtime", "mlplan_serving"), ignore=shutil.ignore_patterns("*.pyc")
    )
    with open(os.path.join(folder, "runtime", "__main__.py"), "w", encoding="utf-8") as stream:
        stream.write(RUNTIME_MAIN)
    if script is not None:
        with open(os.path.join(app, "scripts", "score.py"), "w", encoding="utf-8") as stream:
            stream.write(script)
    listed = []
    for place, content in (models or {}).items():
        name, version, *file = place.split("/")
        path = os.path.join(app, "azureml-models", name, version)
        os.makedirs(path)
        if isinstance(content, bytes):
            with open(os.path.join(path, *(file or ["model.pkl"])), "wb") as stream_out:
                stream_out.write(content)
        else:
            import joblib  # type: ignore[import-untyped]  # has no types

            joblib.dump(content, os.path.join(path, "model.pkl"))
        listed.append(
            {"name": name, "version": int(version), "digest": "", "path": path, "framework": "scikit-learn"}
        )
    settings = given.pop("settings", {})
    config: dict[str, Any] = {
        "format": 1,
        "name": "digits",
        "project": "test",
        "key": "0123456789abcdef",
        "digest": "d" * 64,
        "host": "127.0.0.1",
        "port": free_port(),
        "workers": 1,
        "threads": 1,
        "memory_bytes": None,
        "app_root": app,
        "entry_script": "scripts/score.py" if script is not None else None,
        "source_directory": "scripts" if script is not None else None,
        "models": listed,
        "auth": "none",
        "keys_file": None,
        "env": {},
        "settings": settings,
        "control": os.path.join(folder, "control.sock"),
    }
    config.update(given)
    return config


# Below the ports that the system gives to those who ask for any, so that none of them is in the way; each process of
# a parallel run has its own.
_ports = itertools.count(18000 + 700 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]))


def free_port() -> int:
    """A port that nobody has just now."""
    while True:
        port = next(_ports)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def write_keys(path: str, keys: Mapping[str, str]) -> None:
    """A file of keys, replaced whole."""
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(dict(keys), stream)
    os.replace(path + ".new", path)
