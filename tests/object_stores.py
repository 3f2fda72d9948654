"""Object stores for tests: servers of the real protocols, on loopback, and a proxy that breaks what it carries.

S3 is moto's server, from PyPI. Azure Blob Storage is Azurite, from npm: the one on the path or named in
MLPLAN_TEST_AZURITE; otherwise it is installed once, into the user's cache. Where there is no npm either, those tests
skip and say so; in CI they fail.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server."""
    moto = pytest.importorskip("moto.server")
    logging_off()
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def logging_off() -> None:
    """Keeps the server's line per request off the output of tests."""
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workspace's place in a new S3 bucket."""
    bucket = f"team-{uuid.uuid4().hex[:12]}"
    _request(s3_server, "PUT", f"/{bucket}", {})
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    return f"s3://{bucket}/some/prefix"


ACCOUNT = "devstoreaccount1"
KEY = base64.b64encode(b"a key that only the tests' own server knows, of some length.....").decode()


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Azure Blob Storage server."""
    program = os.environ.get("MLPLAN_TEST_AZURITE") or shutil.which("azurite-blob") or _install_azurite()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("azurite")
    process = subprocess.Popen(
        [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder), "--silent",
         "--skipApiVersionCheck", "--disableTelemetry"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _until_it_answers(port, process)
    yield f"http://127.0.0.1:{port}/{ACCOUNT}"
    process.terminate()
    process.wait()


AZURITE = "azurite@3.35.0"


def _install_azurite() -> str:
    """The path of Azurite's program, installed by npm where no test did so before."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlplan-tests"
    folder = cache / AZURITE.replace("@", "-")
    program = folder / "node_modules/.bin/azurite-blob"
    if program.exists():
        return str(program)
    if shutil.which("npm") is None:
        why = "Azurite isn't here, and npm isn't either, which would install it"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:  # the suite's workers begin side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            with tempfile.TemporaryDirectory(dir=cache) as fresh:
                command = ["npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--silent", AZURITE]
                installed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
                assert installed.returncode == 0, f"{' '.join(command)}:\n{installed.stdout}{installed.stderr}"
                os.rename(fresh, folder)
                os.mkdir(fresh)  # for the end of the `with`
    return str(program)


@pytest.fixture
def azure(azure_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workspace's place in a new container."""
    container = f"team-{uuid.uuid4().hex[:12]}"
    address, _, account = azure_server.rpartition("/")
    path = f"/{account}/{container}?restype=container"
    status = _request(
        address, "PUT", path, _azure_headers("PUT", f"/{account}/{account}/{container}", "restype:container")
    )
    assert status == 201, status
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", azure_server)
    return f"az://{container}/some/prefix"


def _azure_headers(method: str, resource: str, query: str) -> dict[str, str]:
    """The headers of a request that is signed with the account's key."""
    named = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03"}
    lines = [method, *[""] * 11, *(f"{name}:{value}" for name, value in sorted(named.items())), resource, query]
    signature = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    return {**named, "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"}


def _request(address: str, method: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, headers={"Content-Length": "0", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def _until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, "Azurite ended"
            assert time.monotonic() < deadline, "Azurite doesn't answer"
            time.sleep(0.05)


class Proxy:
    """Stands before a server and breaks what it is told to. `requests` lists what came, as (method, path), and
    `carried` how many bytes of content the server got, by path."""

    def __init__(self, server: str) -> None:
        self.server, _, path = server.removeprefix("http://").partition("/")
        self.requests: list[tuple[str, str]] = []
        self.carried: list[tuple[str, int]] = []
        self.faults: list[str] = []  # of the next requests, in order: see `_Handler.go_on`
        self.only = ""  # faults are for methods of this name alone, if it is one
        self.delay_s = 0.0
        self.silence = threading.Event()
        self.at_work: set[_Handler] = set()  # one for each request that isn't answered yet
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}/{path}".rstrip("/")
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    adds: ClassVar[dict[str, str]] = {}
    """Headers that every answer gets."""

    def spoken_there(self, headers: dict[str, str]) -> dict[str, str]:
        """A request's headers, as the server is to get them."""
        return headers

    def close(self) -> None:
        """Ends it."""
        self.silence.set()
        self._http.shutdown()
        self._http.server_close()

    def next_fault(self, method: str, path: str) -> str:
        """What becomes of a request that came."""
        with self._lock:
            self.requests.append((method, path))
            if not self.faults or (self.only and self.only != method):
                return ""
            return self.faults.pop(0)


class _Handler(BaseHTTPRequestHandler):
    """Carries one request, or breaks it."""

    proxy: ClassVar[Any]
    protocol_version = "HTTP/1.1"

    def go_on(self) -> None:
        """Does what the next fault says.

        503, 500, 403 and so on   that status, without asking the server
        lost answer               the server is asked, and its answer thrown away
        cut                       the connection ends before the server is asked
        cut in its middle         the server gets half of the content, and both connections end
        half an answer            the server is asked, and the connection ends in the middle of its answer
        silence                   nobody answers, until the proxy is told to go on (`Proxy.silence`)
        """
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # who asked is gone
            self._drop()
            return
        fault = self.proxy.next_fault(self.command, self.path)
        time.sleep(self.proxy.delay_s)
        if fault == "silence":
            self.proxy.silence.wait(60)
        if fault in ("cut", "silence"):
            self._drop()
        elif fault and fault not in ("lost answer", "half an answer"):
            status, _, code = fault.partition(" ")
            self._answer(int(status), {"Retry-After": "0"}, f"<Error><Code>{code or 'X'}</Code></Error>".encode())
        else:
            connection = http.client.HTTPConnection(self.proxy.server, timeout=60)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.proxy.spoken_there(dict(self.headers.items())).items():
                connection.putheader(name, value)
            if fault == "cut in its middle":
                connection.endheaders(body[: len(body) // 2])
                connection.close()
                self._drop()
                return
            self.proxy.carried.append((self.path, len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            data = answer.read()
            if fault == "lost answer":
                self._drop()
            else:
                headers = {**dict(answer.getheaders()), **self.proxy.adds}
                self._answer(answer.status, headers, data, half=fault == "half an answer")
                if fault:
                    self._drop()
            connection.close()

    def carry(self) -> None:
        """Carries one request, and is known to be at it."""
        self.proxy.at_work.add(self)
        try:
            self.go_on()
        finally:
            self.proxy.at_work.discard(self)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = carry  # noqa: N815  # the names that http.server calls

    def _answer(self, status: int, headers: dict[str, str], data: bytes, *, half: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = next((v for k, v in headers.items() if k.lower() == "content-length"), str(len(data)))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may have gone
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if half else data)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):  # the other end may have gone before
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *words: object) -> None:
        """Says nothing."""


class GoogleFace(Proxy):
    """Google Cloud Storage's XML API, which is S3's but for a few headers, before an S3 server.

    No emulator in the registries obeys Google's condition for creating an object. So this shows that mlplan asks
    Google in the way that Google documents, and understands such answers; not that Google keeps its word.
    """

    adds: ClassVar[dict[str, str]] = {"x-goog-generation": "1"}

    def spoken_there(self, headers: dict[str, str]) -> dict[str, str]:
        """`x-goog-if-generation-match: 0` is Google's way to say that nothing may have that name."""
        spoken = {name.lower(): value for name, value in headers.items()}
        if spoken.pop("x-goog-if-generation-match", None) == "0":
            spoken["if-none-match"] = "*"
        spoken["authorization"] = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
        return spoken


@pytest.fixture
def google(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A workspace's place in a new bucket, asked for in Google's way."""
    bucket = f"team{uuid.uuid4().hex[:12]}"  # a hyphen comes percent-encoded, which moto takes for another name
    _request(s3_server, "PUT", f"/{bucket}", {})
    for name in [name for name in os.environ if name.startswith("GOOGLE_")]:
        monkeypatch.delenv(name)
    face = GoogleFace(s3_server)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", face.address)
    yield f"gs://{bucket}/some/prefix"
    face.close()


@pytest.fixture
def proxy(s3: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the S3 server, which the workspace is reached through."""
    carrier = Proxy(s3_server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", carrier.address)
    yield carrier
    carrier.close()


ENDPOINTS = {"s3": "AWS_ENDPOINT_URL", "azure": "AZURE_STORAGE_ENDPOINT"}


@pytest.fixture(params=ENDPOINTS)
def carried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Proxy]]:
    """A workspace's place in a new bucket of each kind, and the proxy that it is reached through."""
    place = request.getfixturevalue(request.param)
    carrier = Proxy(request.getfixturevalue(f"{request.param}_server"))
    monkeypatch.setenv(ENDPOINTS[request.param], carrier.address)
    yield place, carrier
    carrier.close()
