"""One server of the bench: installed, started, looked at from outside, ended."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.serving.load import Load, ask
from bench.serving.peers import Peer

START_S = 60.0


class Cost(NamedTuple):
    """What the machine did while a server was asked."""

    cpu_us: float  # the server's processor time for one request
    others: float  # the share of all cores that went to neither server nor loader


class Server:
    """A peer that runs."""

    def __init__(self, peer: Peer, work: str) -> None:
        self.peer = peer
        with open(os.path.join(work, f"{peer.body}.json"), "rb") as stream:
            self._body = stream.read()
        places = {"env": os.path.join(work, "envs", peer.env), "work": work, "port": str(peer.port)}
        own = {name: value.format(**places) for name, value in peer.variables.items()}
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        began = time.monotonic()
        with open(os.path.join(work, "log.txt"), "ab") as log:
            self._process = subprocess.Popen(
                [part.format(**places) for part in peer.command],
                cwd=work,
                env={**os.environ, **threads, **own, "PYTHONPATH": work},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(log.name)
        except BaseException:
            self.end()
            raise
        self.start_s = time.monotonic() - began

    def ask(self, connections: int, seconds: float) -> tuple[Load, Cost]:
        """What came of asking it for a while, and what that cost."""
        began, busy = time.monotonic(), busy_s()
        loading, serving = loader_s(), cpu_s(self._process.pid)
        load = ask(self.peer.port, self.peer.path, self._body, self.peer.key, connections, seconds)
        serving, loading = cpu_s(self._process.pid) - serving, loader_s() - loading
        whole = (time.monotonic() - began) * (os.cpu_count() or 1)
        cpu_us = serving / max(1.0, load.per_second * seconds) * 1e6
        return load, Cost(cpu_us, max(0.0, busy_s() - busy - serving - loading) / whole)

    def memory_mib(self) -> float:
        """What it and its children have of the machine's memory; what they share is counted once."""
        total = 0
        for each in tree(self._process.pid):
            with open(f"/proc/{each}/smaps_rollup", encoding="ascii") as stream:
                total += next(int(line.split()[1]) for line in stream if line.startswith("Pss:"))
        return total / 1024

    def end(self) -> None:
        """Ends it and whatever it started."""
        children = tree(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in children:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue

    def _wait(self, log: str) -> None:
        """Until it gives the right answer for the first time."""
        until = time.monotonic() + START_S
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.peer.key}"}
        while time.monotonic() < until:
            connection = http.client.HTTPConnection("127.0.0.1", self.peer.port, timeout=5)
            try:
                connection.request("POST", self.peer.path, self._body, headers)
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.005)
        raise SystemExit(f"{self.peer.name} doesn't answer; its output is in {log}")


def install(env: str, packages: Sequence[str]) -> None:
    """Makes an environment where it isn't there."""
    if os.path.exists(env) or not packages:
        return
    print(f"installing {', '.join(packages)}", file=sys.stderr, flush=True)
    uv = shutil.which("uv") or os.path.join(os.path.dirname(sys.executable), "uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, env], check=True)
    try:
        subprocess.run([uv, "pip", "install", "-q", "--python", env, *packages], check=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(env)
        raise


def busy_s() -> float:
    """The processor time that the whole machine has spent on anything."""
    with open("/proc/stat", encoding="ascii") as stream:
        user, nice, system, _, _, *rest = (int(field) for field in stream.readline().split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def loader_s() -> float:
    """The processor time of this process and of the loaders that it has run."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as stream:
                found += [int(child) for child in stream.read().split()]
        except OSError:
            continue
    return found


def cpu_s(pid: int) -> float:
    """The processor time that a process and its children have had."""
    total = 0
    for each in tree(pid):
        try:
            with open(f"/proc/{each}/stat", encoding="ascii") as stream:
                fields = stream.read().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
