"""The small project that the fault campaign works on, and what must hold of it whatever was done to it.

It has every kind, needs the standard library alone and is quick to apply, since the campaign applies it some thousand
times. Everything that waits here has a bound: a command that hangs is a fault as well.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from this_machine import free_port, wait_until

from mlplan.workspace.open import open_workspace

LASTING = ("version", "digest", "outputs", "metrics", "scoring_uri", "models", "fingerprint", "code")
"""The outputs that are the same however an apply came to its end."""

MLPLAN = [sys.executable, "-m", "mlplan"]
AT_POINT = [sys.executable, str(Path(__file__).with_name("at_point.py"))]
PATIENCE_S = 90.0
"""How long any command may take, on a machine that is busy."""

TRAIN = """
import os, pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
table = pathlib.Path(given["--data"], "table.csv").read_text()
pathlib.Path("outputs/model.txt").write_text(table + given["--rate"])
pathlib.Path("outputs/metrics.json").write_text('{"accuracy": 0.75}')
with open(given["--count"], "a") as stream:
    stream.write("train " + given["--rate"] + "\\n")
print("trained")
"""

PREPARE = """
import pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
pathlib.Path("outputs/table.csv").write_text(pathlib.Path(given["--data"], "table.csv").read_text().upper())
with open(given["--count"], "a") as stream:
    stream.write("prepare\\n")
"""

SCORE = """
import os, pathlib
def init():
    global text
    text = pathlib.Path(os.environ["AZUREML_MODEL_DIR"], "model.txt").read_text()
def run(data):
    return text.splitlines()
"""

MANIFEST = """
version: 1
project: faults
workspace: "{place}"
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


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Project(NamedTuple):
    """One project in a folder of its own."""

    root: Path
    port: int
    pipeline: bool = False
    place: str = ".mlplan"  # of the shared workspace, where it isn't the folder
    name: str = "faults"

    @property
    def counted(self) -> Path:
        """A line for each script that came to its end."""
        return self.root / "finished.txt"

    @property
    def workspace(self) -> Path:
        return self.root / ".mlplan"

    def write(self, *, rate: str = "0.1", score: str = SCORE, train: str = TRAIN) -> None:
        """Writes the whole project; again with other values, it is an edit."""
        prepare = PREPARE_RUN.format(count=self.counted) if self.pipeline else ""
        data = "${{ run.prepare.outputs }}" if self.pipeline else "${{ dataset.table.path }}"
        manifest = MANIFEST.format(
            place=self.place, prepare=prepare, data=data, count=self.counted, rate=rate, port=self.port
        )
        files = {
            "code/train.py": train,
            "code/prepare.py": PREPARE,
            "code/score.py": score,
            "data/table.csv": "a,b\n1,2\n",
            "ask.json": "{}",
            "mlplan.yaml": manifest,
        }
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def edit(self, old: str, new: str, file: str = "mlplan.yaml") -> None:
        """Replaces a piece of text that stands in the file once."""
        text = (self.root / file).read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (self.root / file).write_text(text.replace(old, new))

    def mlplan(self, *words: str, code: int | None = None, program: list[str] = MLPLAN) -> Ended:
        """Runs a command, whose exit code must be `code` unless that is None."""
        ended = subprocess.run(
            [*program, *words],
            cwd=self.root,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        said = f"mlplan {' '.join(words)}: exit code {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        assert code is None or ended.returncode == code, said
        assert ended.returncode != 70, said
        assert "MLP9001" not in ended.stderr, said
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def apply(self, code: int | None = 0) -> Ended:
        """A plain apply."""
        return self.mlplan("apply", "-y", code=code)

    def in_step(self) -> None:
        """The plan has nothing to do."""
        self.mlplan("plan", "--detailed-exitcode", code=0)

    def start(self, *words: str, program: list[str] = MLPLAN) -> subprocess.Popen[str]:
        """A command in the background. Its stderr can be read; its stdout goes nowhere."""
        return subprocess.Popen(
            [*program, *words],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed_at(self, point: int) -> int:
        """Applies and is killed at a point; the exit code."""
        return self.mlplan("apply", "-y", program=[*AT_POINT, "kill", str(point), "--"]).code

    def effects(self) -> list[str]:
        """Applies undisturbed; the effects in order, each of which is a point."""
        report = self.root.with_name(f"{self.root.name}-effects.json")
        self.mlplan("apply", "-y", code=0, program=[*AT_POINT, "count", str(report), "--"])
        effects: list[str] = json.loads(report.read_text())
        return effects

    def outcome(self) -> dict[str, Any]:
        """What applies came to, apart from times, process numbers and how often something was tried; and apart from
        the folder and the port of this project, which differ from one copy to the next."""
        state = open_workspace(str(self.root), self.place, self.name).log.read()
        placed = ("--count", "port")
        return {
            "resources": {
                str(address): {
                    "parts": {name: part.digest for name, part in recorded.parts.items() if name not in placed},
                    "outputs": {
                        key: value
                        for key, value in recorded.outputs.items()
                        if key in LASTING and key != "scoring_uri"
                    },
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
        """The scripts that came to their end, in order."""
        return self.counted.read_text().splitlines() if self.counted.exists() else []

    def answer(self) -> Any:
        """What the service on the project's port answers to a request."""
        keys = json.loads((self.workspace / "service-keys/svc/keys.json").read_text())
        bearer = {"Authorization": f"Bearer {keys['primary']}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/score", b"{}", bearer, method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.loads(response.read())

    def processes(self) -> list[psutil.Process]:
        """All processes that have to do with this project: by a word of their command line, or by their folder."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                place = str(self.root)
                if process.cwd().startswith(place) or any(place in word for word in process.cmdline()):
                    found.append(process)
        return found

    def assert_as_before(self, before: object) -> None:
        """Nothing was trained again, and what serves is what served: `before` is an earlier `outcome`."""
        self.in_step()
        self.assert_one_service()
        assert self.answer() == ["a,b", "1,2", "0.1"]
        assert self.finished() == ["train 0.1"]
        assert self.outcome() == before

    def assert_one_service(self) -> None:
        """One generation of the service runs, and nothing else of the project."""
        words = [process.cmdline() for process in self.processes()]
        kinds = sorted(next((w for w in line if w in ("serve", "worker")), " ".join(line)) for line in words)
        assert kinds == ["serve", "worker"], words

    def destroy(self) -> None:
        """Ends what the project started, whatever state it is in."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        wait_until(lambda: not self.processes())


def new_project(root: Path, *, pipeline: bool = False, place: str = ".mlplan") -> Project:
    """A project in an empty folder, on a port that is free now."""
    root.mkdir(parents=True, exist_ok=True)
    project = Project(root, free_port(), pipeline, place)
    project.write()
    return project
