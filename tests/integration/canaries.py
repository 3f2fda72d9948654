"""Secrets to be looked for: how one can show, scripts that print it in every way, and the places to look in."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from .project import Project

PRINTS = """\
import base64, os, sys

def tell(secret):
    print("printed:", secret, flush=True)
    print("encoded:", base64.b64encode(b"id:" + secret.encode() + b"!").decode(), file=sys.stderr, flush=True)
    os.write(1, b"in two: " + secret[:9].encode())
    os.write(1, secret[9:].encode() + b"; the end\\n")
"""
"""A module for scripts: prints a secret as it is, in base64, and in two writes."""


def shown_masked(log: str) -> bool:
    """Whether a log has all that `tell` prints, with the secret masked."""
    return all(said in log for said in ("printed: ***\n", "encoded: aW", "***", "in two: ***; the end\n"))


def forms(secret: str) -> set[bytes]:
    """How a secret would show: as it is, in a URL, in JSON, in base64 wherever it begins, digested without a key."""
    raw = secret.encode()
    shown = {raw, quote(secret).encode(), quote(secret, safe="").encode(), quote_plus(secret).encode()}
    shown |= {json.dumps(secret)[1:-1].encode(), raw.hex().encode(), hashlib.sha256(raw).hexdigest().encode()}
    for before in range(3):  # what stands in front of it moves its bits
        inside = base64.b64encode(b"\0" * before + raw)[2 * bool(before) + before : -4]
        shown |= {inside, inside.translate(bytes.maketrans(b"+/", b"-_"))}
    return shown


def showing(secrets: Mapping[str, str], texts: Mapping[str, bytes]) -> list[str]:
    """Which of the texts show a secret, as `what shows: whose`."""
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    return [
        f"{where}: {name}"
        for where, text in texts.items()
        for name, shown in wanted.items()
        if any(form in text for form in shown)
    ]


def files_below(folder: Path, *, without: str) -> dict[str, bytes]:
    """All files with their names, links not followed; `without` names the one folder that may hold secrets."""
    return {
        str(path): str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and without not in path.parts
    }


def command_lines() -> dict[str, bytes]:
    """What everybody on this machine can see of its processes."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            found[f"process {name}"] = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
    return found


class Witness:
    """Runs commands and keeps what they print."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.said: dict[str, bytes] = {}
        self.code = 0

    def __call__(self, *words: str, code: int | None = 0) -> str:
        done = self.project.mlplan(*words, code=code)
        self.code = done.code
        self.said[f"{len(self.said)} mlplan {' '.join(words)}"] = (done.out + done.err).encode()
        return done.out
