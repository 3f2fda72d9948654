"""The folder `runtime/` of a serving image: the scoring runtime, and the first process that runs it.

`python -m mlplan.targets.docker.runtime FOLDER` writes it below a folder, for images that are built by hand.
"""

from __future__ import annotations

import os
import sys

from mlplan.machine import masking
from mlplan.serving import RUNTIME_MAIN
from mlplan.targets.docker import archives
from mlplan.targets.docker.inside import source


def entries(package: str) -> list[archives.Entry]:
    """The folder as entries of a build's context; `package` is the folder of the scoring runtime."""
    return [
        archives.folder("runtime"),
        archives.text("runtime/__main__.py", RUNTIME_MAIN),
        archives.text("runtime/service.py", source("service")),
        archives.Entry("runtime/masking.py", source=masking.__file__),
        *(entry for entry in archives.tree("runtime/mlplan_serving", package) if "__pycache__" not in entry.path),
    ]


def package() -> str:
    """The folder of the scoring runtime that is installed."""
    import mlplan.serving

    return os.path.dirname(os.path.abspath(mlplan.serving.__file__))


def main(folder: str) -> None:
    """Writes the folder `runtime/` below this one."""
    import tarfile

    with tarfile.open(fileobj=archives.stream(archives.pack(entries(package()))), mode="r|") as packed:
        packed.extractall(folder)


if __name__ == "__main__":
    main(sys.argv[1])
