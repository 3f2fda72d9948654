"""Resolves what an environment asks for, by uv: every package pinned with its hashes, for every platform.

What was pinned before is preferred, so that asking for one more package moves no other. Neither the address of an
index nor a credential comes into what is returned.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from typing import TYPE_CHECKING

from mlplan.codes import apply as codes
from mlplan.errors import Refusal
from mlplan.lock.types import EnvironmentRequest, LockedEnvironment
from mlplan.lock.urls import without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TAIL = 12
"""How many of uv's last lines a failure shows."""

_OFFLINE = re.compile(
    r"dns error|failed to lookup|network is unreachable|connection refused|error sending request", re.I
)
_CONTINUED = re.compile(r"\s*\\\n\s*")


def resolve(
    request: EnvironmentRequest,
    *,
    prefer: Sequence[str] = (),
    upgrade: Sequence[str] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> LockedEnvironment:
    """The request, pinned. `prefer` are the packages of an older lock, kept where they fit; those named in `upgrade`
    are taken anew. Raises: Refusal (MLP7110, MLP7111) with uv's last lines.
    """
    with tempfile.TemporaryDirectory(prefix="mlplan-lock-") as folder:
        output = os.path.join(folder, "locked.txt")
        for name, lines in (
            ("requirements.in", request.requirements),
            ("constraints.txt", request.constraints),
            ("locked.txt", prefer),
        ):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in lines)
        _run_uv(_words(request, upgrade, output), folder, request, progress)
        with open(output, encoding="utf-8") as stream:
            packages = packages_in(stream.read())
    return LockedEnvironment(request.digest, request.python, packages)


def packages_in(text: str) -> tuple[str, ...]:
    """The packages of a requirements file with hashes, one line each, sorted. Pure."""
    joined = _CONTINUED.sub(" ", text)
    lines = (line.strip() for line in joined.splitlines())
    return tuple(sorted(line for line in lines if line and not line.startswith(("#", "-"))))


def _words(request: EnvironmentRequest, upgrade: Sequence[str], output: str) -> list[str]:
    indexes = [word for option in request.indexes for word in shlex.split(option)]
    upgrades = [word for name in upgrade for word in ("--upgrade-package", name)]
    return [
        "pip", "compile", "requirements.in", "--constraint", "constraints.txt", "--output-file", output,
        "--python-version", request.python, "--universal", "--generate-hashes", "--no-header", "--no-annotate",
        "--no-config", *upgrades, *indexes,
    ]  # fmt: skip


def _run_uv(words: list[str], folder: str, request: EnvironmentRequest, progress: Callable[[str], None]) -> None:
    import subprocess

    import uv

    progress(f"resolving {len(request.requirements)} packages for Python {request.python}")
    environ = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH")}
    ended = subprocess.run(
        [uv.find_uv_bin(), *words],
        cwd=folder,
        env={**environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise _refusal(ended.stderr, request)


def _refusal(output: str, request: EnvironmentRequest) -> Refusal:
    lines = [without_credentials(line) for line in output.splitlines() if line.strip()][-TAIL:]
    shown = "\n".join(f"    {line}" for line in lines)
    if _OFFLINE.search(output):
        return Refusal(
            [
                codes.MLP7111.diagnostic(
                    f"Packages can't be resolved: the package index can't be reached.\n{shown}",
                    hint="Connect to the network, or commit a complete mlplan.lock made where there is one:\n"
                    "    mlplan lock",
                )
            ]
        )
    wanted = ", ".join(request.requirements)
    return Refusal(
        [
            codes.MLP7110.diagnostic(
                f"No versions fit together for Python {request.python} and {wanted}:\n{shown}",
                hint="Mend the pins in `environment`, or its `python`.",
            )
        ]
    )
