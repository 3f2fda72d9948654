"""What the target says of an engine that it can't use, and what it reads of it. No engine is needed for these."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.json_types import Json
from mlplan.targets.docker import archives, containers, images
from mlplan.targets.docker import target as docker_target
from mlplan.targets.docker.buildkit import Printed, Step, decode
from mlplan.targets.docker.engine import Engine, refused
from mlplan.targets.docker.jobs import DockerJobs
from mlplan.targets.protocols import Environment, JobSpec, Resources


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Engine]]:
    """An engine that answers a GET of each path with what it is given; anything else with 404."""
    server = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "engine.sock")
    server.bind(path)
    server.listen()
    answers: dict[str, Any] = {}

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked = connection.recv(65536).split()[1].decode()
                status, value = answers.get(asked.partition("?")[0], (404, {"message": "no such thing"}))
                body = json.dumps(value).encode()
                connection.sendall(f"HTTP/1.0 {status} X\r\n\r\n".encode() + body)

    threading.Thread(target=serve, daemon=True).start()

    def make(given: dict[str, Any]) -> Engine:
        answers.update(given)
        return Engine({"DOCKER_HOST": f"unix://{path}"})

    yield make
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"MLP8201.*No such file"):
        Engine({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}).read("/_ping")


def test_an_engine_that_has_died(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with pytest.raises(Refusal, match="MLP8201"):
        Engine({"DOCKER_HOST": f"unix://{path}"}).read("/_ping")


def test_a_socket_that_may_not_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mlplan.targets.docker.engine.socket.socket.connect", deny, raising=False)
    with pytest.raises(Refusal, match="MLP8202"):
        Engine({}).read("/_ping")


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://me@there"])
def test_an_engine_on_another_machine(host: str) -> None:
    with pytest.raises(Refusal, match="MLP8203"):
        Engine({"DOCKER_HOST": host}).read("/_ping")


def test_the_context_of_the_docker_command_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest()
    folder.mkdir(parents=True)
    (tmp_path / "config.json").write_text('{"currentContext": "mine"}')
    (folder / "meta.json").write_text('{"Endpoints": {"docker": {"Host": "unix:///somewhere/docker.sock"}}}')

    assert Engine({"DOCKER_CONFIG": str(tmp_path)}).socket == "/somewhere/docker.sock"
    assert Engine({"DOCKER_CONFIG": str(tmp_path / "none")}).socket == "/var/run/docker.sock"


def test_an_engine_that_fails_is_quoted(engine: Callable[[dict[str, Any]], Engine]) -> None:
    with pytest.raises(Refusal, match=r"MLP8209.*500.*out of order"):
        engine({"/info": (500, {"message": "out of order"})}).read("/info")


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        ({"ApiVersion": "1.41"}, True),
        ({"ApiVersion": "1.38"}, False),
        ({"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}, False),
    ],
)
def test_whether_there_is_buildkit(
    engine: Callable[[dict[str, Any]], Engine], version: dict[str, Json], has_it: bool
) -> None:
    made = engine({"/version": (200, version), "/_ping": (200, "OK")})
    assert images.has_buildkit(made) == has_it
    compute: dict[str, Json] = {"base_image": "base@sha256:" + "0" * 64}
    warned = [(d.code, d.severity) for d in containers.problems(made, compute, None, Resources())]
    assert warned == ([] if has_it else [("MLP8208", "warning")])
    assert containers.problems(made, {**compute, "buildkit": False}, None, Resources()) == []


def test_a_base_image_by_its_tag_and_one_that_has_nothing_are_warned_of(
    engine: Callable[[dict[str, Any]], Engine],
) -> None:
    made = engine({"/version": (200, {"ApiVersion": "1.43"}), "/_ping": (200, "OK")})
    packages = Environment("", "3.11", "")

    def warned(compute: dict[str, Json], environment: Environment | None) -> list[tuple[str, str]]:
        return [(d.code, d.severity) for d in containers.problems(made, compute, environment, Resources())]

    assert warned({"base_image": "python:3.11"}, packages) == [("MLP8207", "warning")]
    assert warned({}, packages) == []
    assert warned({}, None) == [("MLP8213", "warning")]


def test_indexes_that_a_build_can_not_reach_are_told_beforehand(engine: Callable[[dict[str, Any]], Engine]) -> None:
    made = engine({"/version": (200, {"ApiVersion": "1.43"}), "/_ping": (200, "OK")})
    lines = [
        "--index-url https://me:${TOKEN}@a.example/simple",
        "--find-links /opt/wheels",
        "--extra-index-url https://b.example",
    ]
    environment = Environment("", "3.11", "\n".join([*lines, "h11==0.16.0 --hash=sha256:00", ""]))

    found = containers.problems(made, {}, environment, Resources())

    assert [(d.code, d.severity, d.detail.split("`")[1]) for d in found] == [
        ("MLP8210", "error", lines[0]),
        ("MLP8210", "error", lines[1]),
    ]


def test_a_full_disk_is_called_that() -> None:
    found = refused("The image can't be built", "write /var/lib/docker/x: no space left on device")

    assert found.code == "MLP8206"


def test_an_index_with_a_password_is_not_passed_to_a_build() -> None:
    given = {"UV_DEFAULT_INDEX": "https://me:s3cret@example.org/simple", "HTTPS_PROXY": "http://proxy:3128"}

    assert images.index_arguments(given) == {"HTTPS_PROXY": "http://proxy:3128"}
    (warning,) = images.index_warnings(given)
    assert (warning.code, "s3cret" in warning.detail) == ("MLP8210", False)
    assert images.index_arguments({"PIP_INDEX_URL": "https://example.org/simple"}) == {
        "UV_DEFAULT_INDEX": "https://example.org/simple",
        "PIP_INDEX_URL": "https://example.org/simple",
    }


def test_what_buildkit_tells_is_read() -> None:
    step = b"\x0a\x02d1" + b"\x1a\x09[1/2] RUN" + b"\x2a\x02\x08\x01"
    failed = b"\x0a\x02d1" + b"\x1a\x09[1/2] RUN" + b"\x20\x01" + b"\x3a\x04oops"
    log = b"\x0a\x02d1" + b"\x18\x01" + b"\x22\x05hello"
    message = b"".join(bytes([tag, len(part)]) + part for tag, part in ((0x0A, step), (0x0A, failed), (0x1A, log)))
    import base64

    assert list(decode(base64.b64encode(message).decode())) == [
        Step("d1", "[1/2] RUN", cached=False, started=True, error=""),
        Step("d1", "[1/2] RUN", cached=True, started=False, error="oops"),
        Printed("d1", "hello"),
    ]


def test_a_folder_packed_and_unpacked_is_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "deep" / "empty").mkdir(parents=True)
    target.mkdir()
    (source / "plain.txt").write_text("text \u00e4")
    (source / "deep" / "run.sh").write_bytes(b"\0" * 3_000_000)
    (source / "deep" / "run.sh").chmod(0o755)
    (source / "left-out").mkdir()

    archives.unpack(archives.pack(archives.tree("top", str(source), leave_out=["left-out"])), str(target))

    assert sorted(str(p.relative_to(target)) for p in target.rglob("*")) == [
        "deep",
        "deep/empty",
        "deep/run.sh",
        "plain.txt",
    ]
    assert (target / "plain.txt").read_text() == "text \u00e4"
    assert (target / "deep" / "run.sh").stat().st_mode & 0o111
    assert not (target / "plain.txt").stat().st_mode & 0o111


def test_the_same_files_are_the_same_archive(tmp_path: Path) -> None:
    packed: list[bytes] = []
    for name, names in (("one", "ab"), ("two", "ba")):
        (tmp_path / name).mkdir()
        for file in names:
            (tmp_path / name / file).write_text(file)
        os.utime(tmp_path / name / "a", (5, len(packed)))
        packed.append(b"".join(archives.pack(archives.tree("code", str(tmp_path / name)))))

    assert packed[0] == packed[1]


def test_nothing_is_unpacked_outside_or_through_a_link(tmp_path: Path) -> None:
    outside, target, packed = tmp_path / "outside", tmp_path / "target", tmp_path / "evil.tar"
    outside.mkdir()
    target.mkdir()
    with tarfile.open(packed, "w") as tar:
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("top/../../escaped"))
        tar.addfile(tarfile.TarInfo("top/good"))

    archives.unpack([packed.read_bytes()], str(target))

    assert sorted(p.name for p in target.iterdir()) == ["good", "link"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.tar", "outside", "target"]


def test_what_is_rendered_is_what_is_built(tmp_path: Path) -> None:
    from mlplan.lock.lockfile import read
    from mlplan.manifest.load import load
    from mlplan.render.project import render_project

    case = Path(__file__).resolve().parents[2] / "golden" / "render" / "containers"
    manifest = load(str(case / "mlplan.yaml"), environ={}).manifest
    assert manifest is not None
    with patch("mlplan.render.project.serving_requirements", lambda: ("h11>=0.14",)):
        rendered = render_project(manifest, read(str(case / "mlplan.lock")), "abc123")

    for name, compute in (("train", "old-box"), ("prepare", "box")):
        jobs = docker_target.open(
            str(tmp_path), manifest.project, manifest.resources[Address("compute", compute)].spec
        )
        lock = rendered.get(f"run/{name}/requirements.lock")
        spec = JobSpec(
            key="key",
            name=name,
            id=name,
            code=str(case / "code"),
            argv=("python",),
            env={},
            environment=Environment("digest", "3.10", lock) if lock else None,
            mounts=(),
            timeout_s=None,
            resources=Resources(),
            labels={"project": manifest.project, "address": f"run.{name}", "revision": "abc123"},
        )
        assert isinstance(jobs.jobs, DockerJobs)
        built = jobs.jobs._recipe(spec).files
        assert {path: rendered[f"run/{name}/{path}"] for path in built} == built
