"""Kills the process that submits or deploys, at moments spread over all it does, and goes on from there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from on_targets import accept, digest_at, job_spec, silent

from mlplan.machine import processes
from mlplan.targets.local.generations import Generation
from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.local.services import LocalServices, _live
from mlplan.targets.protocols import ServiceSpec

pytestmark = pytest.mark.slow

MOMENTS = 25


def kill_after(program: str, seconds: float) -> bool:
    """Runs a program that says when it begins, and kills it so long after; whether it had ended by itself."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    process.wait()
    timer.cancel()
    process.stdout.close()
    return process.returncode == 0


def test_a_job_is_executed_once_whenever_its_submit_is_killed(tmp_path: Path, jobs: LocalJobs) -> None:
    script = "import sys\nopen(sys.argv[1], 'a').write('x')\nprint('done')"
    ended = 0
    for moment in range(MOMENTS):
        executed = tmp_path / f"executed-{moment}"
        spec = job_spec(tmp_path, script, key=f"key-{moment}", argv=("python", "train.py", str(executed)))
        program = f"""
from mlplan.targets.local import launch
from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.protocols import JobSpec, Resources
print("begin", flush=True)
LocalJobs({jobs._runs!r}).submit({spec!r}, lambda stage, detail: None)
"""
        ended += kill_after(program, moment * 0.004)

        jobs.submit(spec, silent)
        assert list(jobs.logs(spec.key, follow=True)) == ["done"], moment
        assert jobs.observe(spec.key).exit_code == 0, moment
        assert executed.read_text() == "x", moment
        jobs.remove(spec.key)

    assert ended < MOMENTS  # else nothing was killed
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [".keys"]


def test_one_service_is_left_whenever_its_deploy_is_killed(
    tmp_path: Path, services: LocalServices, service: Callable[..., ServiceSpec], port: int
) -> None:
    services.deploy(service("first"), accept, silent)
    ended = 0
    for moment in range(MOMENTS):
        digest = f"of-{moment}"
        program = f"""
from mlplan.targets.local import environments, services
from mlplan.targets.protocols import Resources, ServedModel, ServiceSpec
print("begin", flush=True)
services = services.LocalServices({services._services!r}, {services._runtime!r})
services.deploy({service(digest)!r}, lambda endpoint: None, lambda stage, detail: None)
"""
        ended += kill_after(program, moment * 0.012)
        between = services.observe("scorer")
        assert between.state == "Healthy", (moment, between)

        seen = services.deploy(service(digest), accept, silent)

        assert (seen.state, seen.digest, seen.key) == ("Healthy", digest, f"key-{digest}"), moment
        assert digest_at(f"http://127.0.0.1:{port}/") == digest, moment
        left = [path.name for path in (tmp_path / "services" / "scorer").iterdir()]
        assert len(left) == 1, (moment, left)

    assert ended < MOMENTS
    services.delete("scorer")
    assert running_below(tmp_path) == []


def test_a_switch_while_one_looks_is_seen() -> None:
    """Asked first, the new generation isn't live yet; by then the old one isn't any more."""
    said = {"old": ["draining"], "new": ["ready", "live"]}

    class Asked(Generation):
        def __init__(self, name: str) -> None:
            self.folder, self.was_live = name, name == "old"

        def is_alive(self) -> bool:
            return True

        def phase(self) -> str:
            return said[self.folder].pop(0)

    new = Asked("new")
    assert _live([Asked("old"), new]) is new


def running_below(folder: Path) -> list[str]:
    """The command lines of processes that run something below a folder; those that are just ending get a moment."""
    deadline = time.monotonic() + 5
    while True:
        found = []
        for process in processes.table():
            try:
                line = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line and process.pid != os.getpid():
                found.append(line)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
