"""The file `mlplan.lock`: parsed, formatted, read and written. `plan` reads it, so this imports next to nothing.

One entry is one line and the lines are sorted, so that two branches which add different entries merge by themselves,
and a changed pin is one changed line:

    # mlplan.lock ...
    format 1
    environment 6f0c... python 3.11
    package 6f0c1d2e3f405162 joblib==1.4.2 --hash=sha256:...
    url https://example.org/data.gz size 9912422 sha256 440f...

A package names its environment by the first 16 digits of the request's digest. The order of lines means nothing when
the file is read: a union merge may leave them unsorted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from mlplan.codes import read as codes
from mlplan.diagnostics import Label
from mlplan.errors import Refusal
from mlplan.lock.types import EMPTY, Lock, LockedEnvironment, LockedUrl
from mlplan.source import Span

if TYPE_CHECKING:
    from mlplan.codes import Code

NAME = "mlplan.lock"
FORMAT = 1
_SHORT = 16
_HEADER = f"# {NAME}: what the manifest leaves open, pinned. Written by `mlplan lock`; commit it with mlplan.yaml."
_DIGITS = frozenset("0123456789abcdef")
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_RENEW = f"Take {NAME} from one of the two branches, then let mlplan add what it lacks:\n    mlplan lock"


def read(path: str) -> Lock:
    """The lock at `path`, or an empty one where there is no file.

    Raises: Refusal (MLP11xx) for a file that can't be read, is damaged, holds a merge conflict or is newer.
    """
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise Refusal(
            [
                codes.MLP1101.diagnostic(
                    f"{NAME} can't be read: {error.strerror}.", hint="Make it readable, then try again."
                )
            ]
        ) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(codes.MLP1101, raw[: error.start].count(b"\n") + 1, 1, "This line is not UTF-8.")
    return parse(text)


def parse(text: str) -> Lock:
    """The lock that the text of a lock file says.

    Raises: Refusal (MLP11xx), with the place, for text that isn't a lock of this format.
    """
    pythons: dict[str, str] = {}
    packages: dict[str, list[str]] = {}
    urls: dict[str, LockedUrl] = {}
    first_use: dict[str, int] = {}
    format_seen = False
    for number, line in enumerate(text.split("\n"), start=1):
        if format_seen and line.startswith("package "):  # nearly every line, and long ones
            _, short, package = (*line.rstrip("\r").split(" ", 2), "")[:3]
            if short not in packages:
                packages[short] = []
                first_use[short] = number
            if "==" not in package and " @ " not in package:
                _refuse(codes.MLP1101, number, len(line), "A package here reads `package ENVIRONMENT NAME==VERSION`.")
            packages[short].append(package)
            continue
        kind, _, rest = line.rstrip("\r").partition(" ")
        if not kind or kind[0] == "#":
            continue
        if kind == "format":
            _check_format(rest, number)
            format_seen = True
        elif kind.startswith(_CONFLICT):
            _refuse(codes.MLP1102, number, len(line), "An unsettled merge conflict stands here.", _RENEW)
        elif not format_seen:
            _refuse(codes.MLP1101, number, len(line), f"The line `format {FORMAT}` has to come before all entries.")
        elif kind == "environment":
            request, python = _environment(rest, number, len(line))
            if pythons.setdefault(request, python) != python:
                _refuse(codes.MLP1101, number, len(line), "This environment is listed twice, differently.")
        elif kind == "url":
            url = _url(rest, number, len(line))
            if urls.setdefault(url.url, url) != url:
                _refuse(codes.MLP1101, number, len(line), "This URL is listed twice, with different content.", _RENEW)
        else:
            _refuse(codes.MLP1101, number, len(line), "This is no entry of a lock file.")
    if text and not text.isspace() and not format_seen:
        _refuse(codes.MLP1101, 1, 1, f"The line `format {FORMAT}` is missing.")
    return Lock(_environments(pythons, packages, first_use), urls)


def format_lock(lock: Lock) -> str:
    """The text of a lock file: what `parse` reads, the same bytes for the same lock."""
    lines = []
    for request, environment in lock.environments.items():
        lines.append(f"environment {request} python {environment.python}")
        lines += [f"package {request[:_SHORT]} {package}" for package in environment.packages]
    lines += [f"url {entry.url} size {entry.size} sha256 {entry.sha256}" for entry in lock.urls.values()]
    return "\n".join([_HEADER, f"format {FORMAT}", *sorted(lines), ""])


def write(path: str, lock: Lock) -> None:
    """Writes the lock file, whole or not at all; a file that says the same already is left alone.

    Raises: Refusal (MLP1104) where it can't be written.
    """
    content = format_lock(lock).encode()
    aside = f"{path}.{os.getpid()}.new"
    try:
        if os.path.exists(path):
            with open(path, "rb") as stream:
                if stream.read() == content:
                    return
        with open(aside, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, path)
    except OSError as error:
        if os.path.exists(aside):
            os.unlink(aside)
        detail = f"{NAME} can't be written: {error.strerror}."
        raise Refusal([codes.MLP1104.diagnostic(detail, hint="Mend that, then try again.")]) from error


def _environments(
    pythons: dict[str, str], packages: dict[str, list[str]], first_use: dict[str, int]
) -> dict[str, LockedEnvironment]:
    environments = {}
    for request, python in pythons.items():
        listed = packages.pop(request[:_SHORT], [])
        pinned = tuple(sorted(set(listed)))
        twice = _pinned_twice(pinned)
        if twice:
            _refuse(
                codes.MLP1101,
                first_use[request[:_SHORT]],
                1,
                f"The environment that begins here pins {twice} twice: two branches upgraded it differently.",
                _RENEW,
            )
        environments[request] = LockedEnvironment(request, python, pinned)
    for short in packages:
        _refuse(codes.MLP1101, first_use[short], 1, f"This package belongs to the environment {short}, not listed.")
    return environments


def _pinned_twice(packages: tuple[str, ...]) -> str:
    """The name of a package with two pins for the same marker, or "". (Other markers are other platforms.)"""
    seen: set[tuple[str, str]] = set()
    for package in packages:
        hashes = package.find(" --hash")
        pin, _, marker = (package if hashes < 0 else package[:hashes]).partition(";")
        name = pin.partition("==")[0].partition(" @ ")[0].strip()
        if (name, marker) in seen:
            return name
        seen.add((name, marker))
    return ""


def _check_format(rest: str, number: int) -> None:
    if not (rest.isascii() and rest.isdigit()):
        _refuse(codes.MLP1101, number, 8 + len(rest), "The format is a number.")
    if int(rest) > FORMAT:
        _refuse(
            codes.MLP1103,
            number,
            7 + len(rest),
            f"This {NAME} has format {rest}; this version of mlplan reads formats up to {FORMAT}.",
            "Use the version of mlplan that wrote it, or a newer one:\n    pip install --upgrade mlplan",
        )


def _environment(rest: str, number: int, width: int) -> tuple[str, str]:
    words = rest.split(" ")
    if len(words) != 3 or words[1] != "python" or not _is_digest(words[0]):
        _refuse(codes.MLP1101, number, width, "An environment here reads `environment DIGEST python VERSION`.")
    return words[0], words[2]


def _url(rest: str, number: int, width: int) -> LockedUrl:
    words = rest.rsplit(" ", 4)
    if (
        len(words) != 5
        or words[1] != "size"
        or not (words[2].isascii() and words[2].isdigit())
        or words[3] != "sha256"
        or not _is_digest(words[4])
    ):
        _refuse(codes.MLP1101, number, width, "A URL here reads `url URL size BYTES sha256 DIGEST`.")
    return LockedUrl(words[0], int(words[2]), words[4])


def _is_digest(text: str) -> bool:
    return len(text) == 64 and _DIGITS.issuperset(text)


def _refuse(code: Code, line: int, width: int, detail: str, hint: str = "") -> NoReturn:
    span = Span(NAME, line, 1, line, width + 1)
    hint = hint or f"Restore {NAME} from version control, or delete it and let mlplan write it anew:\n    mlplan lock"
    raise Refusal([code.diagnostic(detail, hint=hint, labels=[Label(span)])])
