"""What `mlplan.lock` promises, seen from the command line: pinned once, checked, fetched no more than needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..project import Project
from .unreliable_server import Server, ranged, running, whole

TWO_SETS = """\
version: 1
project: data
dataset:
  one: {source: [%s]}
  two: {source: [%s]}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(str(tmp_path))


def locked(project: Project) -> list[str]:
    with open(os.path.join(project.folder, "mlplan.lock"), encoding="utf-8") as stream:
        return stream.read().splitlines()[2:]


def test_a_url_is_fetched_once_and_pinned(server: Server, project: Project) -> None:
    url = server.answer("/a.csv", whole(b"a,b\n"))
    project.write("mlplan.yaml", TWO_SETS % (url, url))
    assert project.apply() == {"dataset.one": ("register", "done"), "dataset.two": ("register", "done")}
    sha256 = "5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313"
    assert locked(project) == [f"url {url} size 4 sha256 {sha256}"]
    assert len(server.asked) == 2  # once for each dataset
    project.in_step()
    project.mlplan("lock", "--check")


def test_a_second_url_doesnt_fetch_the_first_again(server: Server, project: Project) -> None:
    one, two = (server.answer(f"/{name}.csv", whole(name.encode())) for name in "ab")
    manifest = "version: 1\nproject: data\ndataset:\n  it: {source: [%s]}\n"
    project.write("mlplan.yaml", manifest % one)
    project.apply()
    project.write("mlplan.yaml", manifest % f"{one}, {two}")
    project.mlplan("lock", "--check", code=1)
    assert project.apply() == {"dataset.it": ("register", "done")}
    assert [asked.path for asked in server.asked] == ["/a.csv", "/b.csv"]
    project.in_step()


def test_content_that_changed_is_refused_until_the_lock_is_upgraded(server: Server, project: Project) -> None:
    url = server.answer("/a.csv", ranged(b"old", '"1"'))
    project.write("mlplan.yaml", f"version: 1\nproject: data\ndataset:\n  it: {{source: {url}}}\n")
    project.mlplan("lock")
    server.answer("/a.csv", ranged(b"new", '"2"'))
    refused = project.mlplan("apply", "-y", code=1)
    assert "MLP7104" in refused.out + refused.err
    assert f"mlplan lock --upgrade {url}" in refused.out + refused.err
    project.mlplan("lock", "--upgrade", url)
    assert project.apply() == {"dataset.it": ("register", "done")}
    project.in_step()
    project.mlplan("lock", "--upgrade", "http://127.0.0.1/other", code=1)


def test_a_signed_url_leaves_nothing_secret_behind(server: Server, project: Project) -> None:
    url = server.answer("/a.csv", whole(b"x"))
    project.write(
        "mlplan.yaml",
        f'version: 1\nproject: data\ndataset:\n  it: {{source: "{url}?v=1&sig=${{{{ env.SAS }}}}"}}\n',
    )
    project.env["SAS"] = "canary-in-a-url"
    project.apply()
    assert server.asked[0].path == "/a.csv?v=1&sig=canary-in-a-url"
    kept = [path for path in Path(project.folder).rglob("*") if path.is_file() and path.parent.name != "cache"]
    assert [path for path in kept if b"canary-in-a-url" in path.read_bytes()] == []
    assert locked(project)[0].startswith(f"url {url}?v=1 size 1 ")
    os.unlink(os.path.join(project.folder, "mlplan.lock"))
    project.mlplan("lock")
    assert locked(project)[0].startswith(f"url {url}?v=1 size 1 ")
