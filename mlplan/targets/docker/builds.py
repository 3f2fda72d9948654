"""One build by the engine: what is asked of a builder, what it tells meanwhile, and how it fails.

Which images there are, and when one is built: `images.py`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import target as codes
from mlplan.errors import Refusal
from mlplan.targets.docker.archives import Entry, pack
from mlplan.targets.docker.buildkit import Printed, Step, decode
from mlplan.targets.docker.engine import is_full, refused

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.targets.docker.engine import Engine
    from mlplan.targets.protocols import Progress

_TAIL = 20
_WANTS_SESSION = ("no active session", "failed to read downloaded context", "no local sources enabled")
"""What engines say that build by BuildKit only for a client that keeps a session open, as `docker build` does. Some
versions with the containerd image store are of that kind."""
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Order(NamedTuple):
    """What is asked of a builder, beside the files."""

    tag: str
    address: str  # whose image it is: "run.train"
    stage: str  # of the Dockerfile; "": the last
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    buildkit: bool  # else the engine's older builder


class WantsSession(Exception):
    """This engine builds by BuildKit only for the command `docker build`."""


def run_build(engine: Engine, order: Order, context: Sequence[Entry], progress: Progress) -> None:
    """One build. Raises: Refusal (MLP8205, MLP8206) with the last lines of the step that failed; WantsSession."""
    query = {
        "t": order.tag,
        "target": order.stage,
        "buildargs": json.dumps(dict(order.arguments)),
        "labels": json.dumps(dict(order.labels)),
        "rm": "1",
        "forcerm": "1",
        **({"version": "2"} if order.buildkit else {}),
    }
    api = engine.client.api
    response = api.post(
        f"{api.base_url}/v{api.api_version}/build",
        params=query,
        data=pack(context),
        headers={"Content-Type": "application/x-tar"},
        stream=True,
        timeout=None,
    )
    with response:
        if response.status_code != 200:
            raise Refusal([refused(f"Image {order.tag} can't be built", _message_of(response.text))])
        watch = _Watch(order.address, progress)
        for line in response.iter_lines(chunk_size=None):
            if line:
                watch.hear(json.loads(line))
    if any(words in watch.error for words in _WANTS_SESSION):
        raise WantsSession
    if watch.error:
        raise Refusal([watch.diagnostic()])


class _Watch:
    """Turns what a builder tells into progress, and remembers the end of what a failing step printed."""

    def __init__(self, address: str, progress: Progress) -> None:
        self._address = address
        self._progress = progress
        self._names: dict[str, str] = {}
        self._printed: dict[str, deque[str]] = {}
        self._unended: dict[str, str] = {}  # lines that a step hasn't ended yet
        self._step = ""  # the digest or line of the step that runs, or that failed
        self.error = ""

    def hear(self, message: dict[str, Any]) -> None:
        """Takes one message of the engine's."""
        if "error" in message:
            self.error = str((message.get("errorDetail") or {}).get("message") or message["error"])
        elif message.get("id") == "moby.buildkit.trace":
            for said in decode(message["aux"]):
                self._hear_buildkit(said)
        elif "stream" in message:
            self._hear_older(str(message["stream"]))

    def diagnostic(self) -> Diagnostic:
        """The error, for the user."""
        name = self._names.get(self._step, self._step)
        if is_full(self.error):
            return refused(f"The image for {self._address} can't be built", self.error)
        lines = [f"    {line}" for line in self._printed.get(self._step, ())]
        tail = "\nThe last lines of that step:\n" + "\n".join(lines) if lines else ""
        return codes.MLP8205.diagnostic(
            f"The image for {self._address} can't be built. Its step `{_short(name)}` failed: {self.error}{tail}",
            hint="Mend this and run\n    mlplan apply",
        )

    def _hear_buildkit(self, said: Step | Printed) -> None:
        if isinstance(said, Step):
            if said.error and not said.error.endswith("context canceled"):
                self._step = said.digest
            if said.started and said.digest not in self._names and not said.name.startswith("[internal]"):
                self._names[said.digest] = said.name
                if not said.cached:
                    self._progress("Preparing", f"image: {_short(said.name)}")
        else:
            self._print(said.digest, said.text)

    def _hear_older(self, text: str) -> None:
        if re.match(r"Step \d+/\d+ : ", text):
            self._step = text.partition(" : ")[2].strip()
            self._progress("Preparing", f"image: {_short(text.strip())}")
        elif not text.startswith(" --->"):
            self._print(self._step, text)

    def _print(self, step: str, text: str) -> None:
        *lines, self._unended[step] = (self._unended.get(step, "") + text).split("\n")
        kept = self._printed.setdefault(step, deque(maxlen=_TAIL))
        for line in lines:
            plain = _COLOUR.sub("", line.rpartition("\r")[2] or line).rstrip()
            if plain:
                kept.append(plain)
                self._progress("Preparing", f"image: {_short(plain.strip())}")


def _short(text: str, length: int = 100) -> str:
    first = " ".join(text.split())
    return first if len(first) <= length else f"{first[: length - 3]}..."


def _message_of(body: str) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body
