"""The small projects that the fault campaign kills, and what must hold of them afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from mlplan.workspace.open import open_workspace

LASTING = ("version", "digest", "outputs", "metrics", "scoring_uri", "models", "fingerprint", "code")
"""The outputs that are the same however an apply came to its end."""

MLPLAN = [sys.executable, "-m", "mlplan"]

TRAIN = """
import argparse, os, pathlib
arguments = argparse.ArgumentParser()
arguments.add_argument("--data"); arguments.add_argument("--count"); arguments.add_argument("--rate")
given = arguments.parse_args()
table = pathlib.Path(given.data, "table.csv").read_text()
pathlib.Path("outputs/model.txt").write_text(table + str(given.rate))
pathlib.Path("outputs/metrics.json").write_text('{"accuracy": 0.75}')
with open(given.count, "a") as stream:
    stream.write(os.path.basename(__file__) + "\\n")
print("trained")
"""

PREPARE = """
import argparse, pathlib
arguments = argparse.ArgumentParser()
arguments.add_argument("--data"); arguments.add_argument("--count")
given = arguments.parse_args()
pathlib.Path("outputs/table.csv").write_text(pathlib.Path(given.data, "table.csv").read_text().upper())
with open(given.count, "a") as stream:
    stream.write("prepare.py\\n")
"""

SCORE = """
import os, pathlib
def init():
    global text
    text = pathlib.Path(os.environ["AZUREML_MODEL_DIR"], "model.txt").read_text()
def run(data):
    return [len(text)]
"""

MANIFEST = """
version: 1
project: faults
compute:
  here: {{type: local, max_nodes: 2}}
dataset:
  table: {{source: [data/table.csv]}}
run:{prepare}
  train:
    compute: here
    source: code
    script: train.py
    arguments: [--data, "{data}", --count, "{count}", --rate, "{rate}"]
model:
  m: {{run: train, path: outputs/model.txt, require: [accuracy >= 0.5]}}
inference:
  s: {{source: code, entry_script: score.py}}
deployment:
  svc: {{compute: here, models: [m], inference: s, port: {port}, test: [{{request: ask.json}}]}}
"""

PREPARE_RUN = """
  prepare:
    compute: here
    source: code
    script: prepare.py
    arguments: [--data, "${{{{ dataset.table.path }}}}", --count, "{count}"]"""


class Project(NamedTuple):
    """One project in a folder of its own."""

    root: Path
    port: int
    pipeline: bool

    @property
    def counted(self) -> Path:
        """A line for each script that came to its end."""
        return self.root / "finished.txt"

    def write(self, *, rate: str = "0.1", score: str = SCORE) -> None:
        """Writes the whole project; again with other values, it is an edit."""
        for folder in ("code", "data"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "code/train.py").write_text(TRAIN)
        (self.root / "code/prepare.py").write_text(PREPARE)
        (self.root / "code/score.py").write_text(score)
        (self.root / "data/table.csv").write_text("a,b\n1,2\n")
        (self.root / "ask.json").write_text("{}")
        prepare = PREPARE_RUN.format(count=self.counted) if self.pipeline else ""
        data = "${{ run.prepare.outputs }}" if self.pipeline else "${{ dataset.table.path }}"
        text = MANIFEST.format(prepare=prepare, data=data, count=self.counted, rate=rate, port=self.port)
        (self.root / "mlplan.yaml").write_text(text)

    def mlplan(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a command in the project."""
        return subprocess.run(
            [*MLPLAN, *words], cwd=self.root, capture_output=True, text=True, timeout=timeout, check=False
        )

    def killed_at(self, point: int, report: Path | None = None) -> int:
        """Applies, and is killed at a point (0: not at all); the exit code."""
        words = [sys.executable, str(Path(__file__).with_name("kill_at.py")), str(point), str(report or "-"), "--"]
        ended = subprocess.run(
            [*words, "apply", "-y"], cwd=self.root, capture_output=True, text=True, timeout=120, check=False
        )
        return ended.returncode

    def outcome(self) -> dict[str, Any]:
        """What an apply came to, apart from times, process numbers and how often it was tried."""
        state = open_workspace(str(self.root), ".mlplan", "faults").log.read()
        return {
            "resources": {
                str(address): {
                    "parts": {name: part.digest for name, part in recorded.parts.items()},
                    "outputs": {key: value for key, value in recorded.outputs.items() if key in LASTING},
                }
                for address, recorded in state.resources.items()
            },
            "versions": {str(a): [(v.number, v.digest) for v in versions] for a, versions in state.versions.items()},
            "completed": {
                str(address): sorted(r.outputs or "" for r in records if r.status == "Completed")
                for address, records in state.runs.items()
            },
            "intents": len(state.intents),
            "lease": state.lease is not None,
        }

    def finished(self) -> list[str]:
        """Which scripts came to their end, in order of names."""
        return sorted(self.counted.read_text().split()) if self.counted.exists() else []

    def processes(self) -> list[list[str]]:
        """The command lines of all processes that have to do with this project."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if any(str(self.root) in word for word in words):
                found.append(words)
        return found

    def destroy(self) -> None:
        """Ends what the project started, whatever state it is in."""
        self.mlplan("destroy", "-y")
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)


def new_project(root: Path, *, pipeline: bool = False) -> Project:
    """A project in an empty folder, on a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    project = Project(root, port, pipeline)
    root.mkdir(parents=True, exist_ok=True)
    project.write()
    return project


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def clean_environment() -> None:
    """The campaign's processes start as fast as a user's."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
