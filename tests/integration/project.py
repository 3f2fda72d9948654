"""A project in a folder of its own, worked on by the real command line as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from this_machine import free_port, listens

MLPLAN = os.path.join(os.path.dirname(sys.executable), "mlplan")


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Project:
    """A manifest's folder. Its service listens on `port`, which the manifest has as a variable."""

    def __init__(self, folder: str, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {**os.environ, "MLPLAN_VAR_port": str(self.port), "NO_COLOR": "1", "COLUMNS": "100"}
        self.env.update({f"MLPLAN_VAR_{name}": value for name, value in (variables or {}).items()})
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)

    def mlplan(self, *words: str, code: int | None = 0) -> Result:
        """Runs a command; its exit code must be `code` unless that is None."""
        done = subprocess.run(
            [MLPLAN, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        said = f"mlplan {' '.join(words)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, said
        assert done.returncode != 70, said
        return Result(done.returncode, done.stdout, done.stderr)

    def plan(self) -> dict[str, tuple[str, list[str]]]:
        """What `mlplan plan` says would change: {address: (action, its reasons in a user's words)}."""
        planned = json.loads(self.mlplan("plan", "--format", "json").out)
        return {
            change["address"]: (change["action"], [reason["text"] for reason in change["reasons"]])
            for change in planned["resource_changes"]
            if change["action"] not in ("no-op", "skip")
        }

    def apply(self, *words: str, code: int = 0) -> dict[str, tuple[str, str]]:
        """What `mlplan apply` did: {address: (action, outcome)} of every change that it began or left."""
        lines = self.mlplan("apply", "-y", "--format", "json", *words, code=code).out.splitlines()
        events = [json.loads(line) for line in lines]
        ends = [event for event in events if event["type"] == "change_finished"]
        return {event["address"]: (event["action"], event["outcome"]) for event in ends}

    def in_step(self) -> None:
        """The plan after an apply has nothing to do."""
        self.mlplan("plan", "--detailed-exitcode", code=0)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces a piece of text that stands in the file once."""
        path = os.path.join(self.folder, file)
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        self.write(file, text.replace(old, new))

    def write(self, file: str, text: str) -> None:
        path = os.path.join(self.folder, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)

    def cut(self, file: str, start: str) -> None:
        """Removes everything from the line `start` on."""
        with open(os.path.join(self.folder, file), encoding="utf-8") as stream:
            kept, found, _ = stream.read().partition(f"\n{start}\n")
        assert found, f"{file} has no line {start!r}"
        self.write(file, kept + "\n")

    def ask(self, service: str, data: Any) -> Any:
        """A service's answer, through the command line."""
        request = os.path.join(self.folder, os.pardir, "request.json")
        with open(request, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
        return json.loads(self.mlplan("service", "score", service, "-d", f"@{request}").out)

    def served_digest(self) -> str:
        """The digest that whoever listens on the port says it serves."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return str(answer.headers["x-mlplan-digest"])

    def executions(self, run: str) -> int:
        """How often a run was executed, restored ones not counted."""
        listed = json.loads(self.mlplan("run", "list", "--format", "json").out)
        return sum(each["address"] == f"run.{run}" for each in listed)

    def destroy(self) -> None:
        self.mlplan("destroy", "-y")
        assert not listens(self.port), f"port {self.port} is still open after destroy"
