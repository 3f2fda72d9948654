"""Asks uv which packages an environment's request comes to: for every platform, with hashes, for one Python.

Resolving needs a package index, so only `lock` and `apply` come here, for what `mlplan.lock` doesn't pin yet. What uv
says goes to the user; which index it asked does not go into the lock file.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from mlplan.codes import apply as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.lock.check import with_environment
from mlplan.lock.requirements import canonical_name, name_of
from mlplan.lock.types import LockedEnvironment
from mlplan.lock.urls import without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from threading import Event

    from mlplan.lock.types import EnvironmentRequest, Lock

    OnLine = Callable[[str], None]

_LAST_LINES = 20
_NO_INDEX = re.compile(r"error sending request|dns error|Failed to fetch|tcp connect error|operation timed out", re.I)


def resolve(
    request: EnvironmentRequest,
    *,
    root: str,
    prefer: Sequence[str] = (),
    upgrade: Collection[str] = (),
    on_line: OnLine | None = None,
    stop: Event | None = None,
) -> LockedEnvironment:
    """What uv finds for a request. `on_line` gets each line that uv prints meanwhile.

    prefer   locked packages whose versions are kept where they still fit, `numpy==2.2.6 --hash=...`
    upgrade  names among them of which the newest fitting version is taken all the same
    root     the project's folder, absolute: `--find-links` folders and uv's own settings are relative to it

    Raises: Refusal (MLP711x) where nothing fits, no index can be reached or uv is missing; with exit code INTERRUPTED
    when `stop` is set.
    """
    with tempfile.TemporaryDirectory(prefix="mlplan-lock-") as folder:
        wanted, bounds, found = (os.path.join(folder, name) for name in ("wanted.in", "bounds.txt", "found.txt"))
        _write(wanted, [*index_lines(request, root), *request.requirements])
        _write(bounds, request.constraints)
        _write(found, prefer)  # uv takes what its output file says already for preferences
        command = [
            _uv(), "pip", "compile", wanted, "--output-file", found, "--universal", "--generate-hashes",
            "--no-header", "--no-annotate", "--no-strip-markers", "--python-version", request.python,
            "--no-python-downloads", "--no-progress", "--color", "never",
        ]  # fmt: skip
        if request.constraints:
            command += ["--constraints", bounds]
        if "--pre" in request.indexes:
            command += ["--prerelease", "allow"]
        for name in upgrade:
            command += ["--upgrade-package", name]
        said, exit_code = _run(command, root, os.path.join(folder, "said.txt"), on_line, stop)
        if exit_code != 0:
            _refuse(request, said)
        with open(found, encoding="utf-8") as stream:
            packages = locked_packages(stream.read())
    return LockedEnvironment(
        request.digest, request.python, tuple(sorted(p for p in packages if counts_for(p, request.python)))
    )


def resolve_missing(
    lock: Lock,
    requests: Iterable[EnvironmentRequest],
    *,
    root: str,
    on_line: OnLine | None = None,
    stop: Event | None = None,
) -> Lock:
    """The lock with every request in it. New ones take the versions that are pinned already, where they fit, so that
    adding a package to a run upgrades nothing else, and a scorer gets the versions its model was trained with."""
    for request in requests:
        if request.digest not in lock.environments:
            prefer = nearest_packages(lock, request)
            found = resolve(request, root=root, prefer=prefer, on_line=on_line, stop=stop)
            lock = with_environment(lock, found)
    return lock


def upgrade_package(
    lock: Lock,
    requests: Iterable[EnvironmentRequest],
    name: str,
    *,
    root: str,
    on_line: OnLine | None = None,
    stop: Event | None = None,
) -> Lock:
    """The lock with the newest fitting version of one package, in each environment that has it; the others stay.

    Raises: Refusal (MLP7113) where none of these environments has it.
    """
    typed, name = name, canonical_name(name)
    pinned = lock.environments
    having = [
        request
        for request in dict.fromkeys(requests)
        if request.digest in pinned and name in map(name_of, pinned[request.digest].packages)
    ]
    if not having:
        _unknown(typed, {name_of(p) for environment in pinned.values() for p in environment.packages})
    for request in having:
        prefer = pinned[request.digest].packages
        found = resolve(request, root=root, prefer=prefer, upgrade=[name], on_line=on_line, stop=stop)
        lock = with_environment(lock, found)
    return lock


def index_lines(request: EnvironmentRequest, root: str) -> list[str]:
    """The request's index options as lines of a requirements file, `--find-links` folders absolute.

    `${NAME}` stays as it is: uv fills it in from the environment, so that no secret is written anywhere.
    """
    lines = []
    for option in request.indexes:
        name, _, value = option.partition(" ")
        if option == "--pre":
            continue  # uv takes it on its command line alone
        lines.append(
            f"{name} {os.path.join(root, value)}" if name == "--find-links" and "://" not in value else option
        )
    return lines


def requirements_text(request: EnvironmentRequest, locked: LockedEnvironment, root: str) -> str:
    """What a target installs: a requirements.txt with the locked packages, and the indexes to take them from."""
    return "\n".join([*index_lines(request, root), *locked.packages, ""])


def locked_packages(output: str) -> list[str]:
    """The packages of a compiled requirements file, one a line, its hashes sorted; options and comments left out."""
    packages = []
    for line in re.sub(r"\s*\\\n\s*", " ", output).splitlines():
        requirement, *hashes = (part.strip() for part in line.split("--hash="))
        if requirement and not requirement.startswith(("#", "-")):
            packages.append(" ".join([requirement, *(f"--hash={digest}" for digest in sorted(hashes))]))
    return packages


_PLATFORMS = [
    {"sys_platform": platform, "platform_system": system, "os_name": os_name, "platform_machine": machine}
    for platform, system, os_name, machines in (
        ("linux", "Linux", "posix", ("x86_64", "aarch64")),
        ("darwin", "Darwin", "posix", ("x86_64", "arm64")),
        ("win32", "Windows", "nt", ("AMD64", "ARM64")),
    )
    for machine in machines
]
_IMPLEMENTATIONS = (("CPython", "cpython"), ("PyPy", "pypy"))


def counts_for(package: str, python: str) -> bool:
    """Whether a locked package's marker can hold for this Python on some platform.

    uv resolves for a version and all later ones; what only later ones need would be noise in the lock file.
    """
    marker = package.partition(" --hash=")[0].partition(" ; ")[2]
    if "python" not in marker:
        return True
    from packaging.markers import Marker

    read = Marker(marker)
    major, minor, *patch = python.split(".")
    releases = [python] if patch else [f"{python}.0", f"{python}.99"]
    return any(
        read.evaluate(
            {
                "python_version": f"{major}.{minor}",
                "python_full_version": release,
                "implementation_version": release,
                "platform_python_implementation": implementation,
                "implementation_name": name,
                **platform,
            }
        )
        for release in releases
        for platform in _PLATFORMS
        for implementation, name in _IMPLEMENTATIONS
    )


def nearest_packages(lock: Lock, request: EnvironmentRequest) -> tuple[str, ...]:
    """The packages of the locked environment that has most of what a request names; none where none has any of it."""
    names = set(map(name_of, request.requirements))

    def in_common(environment: LockedEnvironment) -> int:
        return len(names & set(map(name_of, environment.packages)))

    same_python = [e for e in lock.environments.values() if e.python == request.python]
    best = max(same_python, key=lambda e: (in_common(e), e.request), default=None)
    return best.packages if best and in_common(best) else ()


def _write(path: str, lines: Iterable[str]) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def _uv() -> str:
    try:
        import uv

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        detail = "mlplan resolves packages with uv, which isn't installed beside it."
        hint = "Install it anew:\n    pip install --force-reinstall uv"
        raise Refusal([codes.MLP7111.diagnostic(detail, hint=hint)]) from error


def _run(
    command: Sequence[str], root: str, log: str, on_line: OnLine | None, stop: Event | None
) -> tuple[list[str], int]:
    """Runs uv to its end. What it printed, line by line, and its exit code."""
    said: list[str] = []
    with (
        open(log, "w+", encoding="utf-8", errors="replace") as written,
        open(log, encoding="utf-8", errors="replace") as stream,
    ):
        process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=written
        )
        try:
            exit_code: int | None = None
            while exit_code is None:
                if stop is not None and stop.is_set():
                    detail = "Stopped while uv was resolving packages; nothing was pinned."
                    hint = "Go on with\n    mlplan apply"
                    raise Refusal([codes.MLP7003.diagnostic(detail, hint=hint)], ExitCode.INTERRUPTED)
                with suppress(subprocess.TimeoutExpired):
                    exit_code = process.wait(timeout=0.1)
                for line in stream.readlines():
                    said.append(without_credentials(line.rstrip("\n")))
                    if on_line:
                        on_line(said[-1])
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return said, exit_code


def _refuse(request: EnvironmentRequest, said: Sequence[str]) -> NoReturn:
    """Says why uv found nothing, with its own last words."""
    start = next((i for i, line in enumerate(said) if line.startswith("error")), 0)
    words = "\n".join(said[start:][-_LAST_LINES:]) or "uv said nothing."
    asked = ", ".join(request.requirements[:6]) + (", ..." if len(request.requirements) > 6 else "")
    detail = f"uv can't resolve {asked} for Python {request.python}. Its last words:\n{words}"
    if os.environ.get("UV_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        hint = "UV_OFFLINE keeps uv offline. Unset it, or pin the packages where there is a network:\n    mlplan lock"
        raise Refusal([codes.MLP7112.diagnostic(detail, hint=hint)])
    if _NO_INDEX.search("\n".join(said[start:])):
        hint = (
            "This machine has no network, or the index doesn't answer. What mlplan.lock pins needs none; for what\n"
            "is new, see to the network, or to UV_DEFAULT_INDEX and UV_INDEX, then:\n    mlplan lock"
        )
        raise Refusal([codes.MLP7112.diagnostic(detail, hint=hint)])
    hint = "Change the pin that uv names, in the manifest or in the environment's file."
    raise Refusal([codes.MLP7110.diagnostic(detail, hint=hint)])


def _unknown(name: str, names: set[str]) -> NoReturn:
    from mlplan.diagnostics import nearest

    close = nearest(name, sorted(names))
    hint = f"Did you mean {close}?" if close else "Name one as it stands in mlplan.lock."
    detail = f"mlplan.lock pins no package and no URL `{name}`."
    raise Refusal([codes.MLP7113.diagnostic(detail, hint=hint)])
