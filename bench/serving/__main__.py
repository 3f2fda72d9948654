"""Measures the scoring service beside its peers and prints the table: `python -m bench.serving [--rounds N]`.

In each round every server is started, warmed up, asked by 1 and by 32 connections, and ended, in another order each
time. What counts are the ratios of one run; `README.md` here says how the last one went.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from bench.__main__ import CACHE
from bench.serving.load import Load, ask, loader
from bench.serving.peers import BARE, HERE, KEY, PEERS, RETIRED, Peer
from mlplan.serving import RUNTIME_MAIN

CONNECTIONS = (1, 32)
WARM_S = 1.0
START_S = 60.0


class Measured(NamedTuple):
    """One server in one round."""

    start_s: float
    memory_mib: float
    cpu_us: float  # of the server and its children, for one request at 32 connections
    loads: Mapping[int, Load]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often every server is measured")
    parser.add_argument("--seconds", type=float, default=5.0, help="for how long each time")
    parser.add_argument("--only", action="append", default=[], help="part of a server's name; may be repeated")
    options = parser.parse_args()
    work = os.path.join(CACHE, "serving")
    peers = [peer for peer in PEERS if not options.only or any(part in peer.name for part in options.only)]
    for peer in peers:
        prepare(peer, work)
    lay_out(work)
    results: dict[str, list[Measured]] = {peer.name: [] for peer in peers}
    for number in range(options.rounds):
        for peer in random.sample(peers, len(peers)):
            say(f"round {number + 1}: {peer.name}")
            results[peer.name].append(measure(peer, work, options.seconds))
    print(table(results))
    print(f"\n{options.rounds} rounds of {options.seconds:g} s, by {loader()}; {noise()}")


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


# --- before


def prepare(peer: Peer, work: str) -> None:
    """Makes the peer's environment where it isn't there."""
    env = os.path.join(work, "envs", peer.env)
    if os.path.exists(env) or not peer.packages:
        return
    say(f"installing {', '.join(peer.packages)}")
    uv = shutil.which("uv") or os.path.join(os.path.dirname(sys.executable), "uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, env], check=True)
    try:
        subprocess.run([uv, "pip", "install", "-q", "--python", env, *peer.packages], check=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(env)
        raise


def lay_out(work: str) -> None:
    """Fits the model and writes what the servers read."""
    shutil.copytree(HERE, work, dirs_exist_ok=True)
    python = os.path.join(work, "envs", "mlplan", "bin", "python")
    if not os.path.exists(python):
        python = os.path.join(work, "envs", "asgi", "bin", "python")
    subprocess.run([python, os.path.join(work, "fit.py"), work], check=True)
    _lay_out_mlplan(work)
    folder = os.path.join(work, "mlserver", "digits")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(work, "model", "model.pkl"), os.path.join(folder, "model.joblib"))
    settings = {"name": "digits", "implementation": "mlserver_sklearn.SKLearnModel"}
    _write(os.path.join(folder, "model-settings.json"), {**settings, "parameters": {"uri": "./model.joblib"}})
    _write(os.path.join(work, "mlserver", "settings.json"), {"host": "127.0.0.1", "debug": False})


def _lay_out_mlplan(work: str) -> None:
    import mlplan.serving

    runtime = os.path.join(work, "runtime")
    shutil.rmtree(runtime, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(os.path.dirname(mlplan.serving.__file__), os.path.join(runtime, "mlplan_serving"), ignore=ignore)
    with open(os.path.join(runtime, "__main__.py"), "w", encoding="utf-8") as stream:
        stream.write(RUNTIME_MAIN)
    model = {"name": "digits", "version": 1, "digest": "", "path": os.path.join(work, "model"), "framework": ""}
    _write(os.path.join(work, "keys.json"), {"primary": KEY, "secondary": KEY[::-1]})
    config = {
        "format": 1,
        "name": "digits",
        "digest": "d" * 64,
        "host": "127.0.0.1",
        "port": PORT,
        "app_root": work,
        "models": [model],
        "auth": "key",
        "keys_file": os.path.join(work, "keys.json"),
        "threads": 1,
    }
    _write(os.path.join(work, "plain.json"), {**config, "settings": {"batch": False}})
    _write(os.path.join(work, "batched.json"), config)
    _write(os.path.join(work, "script.json"), {**config, "entry_script": "score.py"})


def _write(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value, stream)


PORT = 18901
"""Where every server listens, one after the other."""


# --- one server


def measure(peer: Peer, work: str, seconds: float) -> Measured:
    """Starts it, asks it, ends it."""
    places = {"env": os.path.join(work, "envs", peer.env), "work": work, "port": str(PORT)}
    with open(os.path.join(work, f"{peer.body}.json"), "rb") as stream:
        body = stream.read()
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    own = {name: value.format(**places) for name, value in peer.variables.items()}
    with open(os.path.join(work, "log.txt"), "ab") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [part.format(**places) for part in peer.command],
            cwd=work,
            env={**os.environ, **threads, **own, "PYTHONPATH": work},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait(peer, body)
        start_s = time.monotonic() - started
        loads: dict[int, Load] = {}
        for connections in CONNECTIONS:
            ask(PORT, peer.path, body, peer.key, connections, WARM_S)
            before = cpu_s(process.pid)
            loads[connections] = ask(PORT, peer.path, body, peer.key, connections, seconds)
            spent_s = cpu_s(process.pid) - before
        cpu_us = spent_s / (loads[connections].per_second * seconds) * 1e6
        return Measured(start_s, memory_mib(process.pid), cpu_us, loads)
    finally:
        end(process)


def wait(peer: Peer, body: bytes) -> None:
    """Until it gives the right answer for the first time."""
    until = time.monotonic() + START_S
    headers = {"content-type": "application/json"}
    if peer.key:
        headers["authorization"] = f"Bearer {peer.key}"
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
        try:
            connection.request("POST", peer.path, body, headers)
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise SystemExit(f"{peer.name} doesn't answer; its output is in {os.path.join(CACHE, 'serving', 'log.txt')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends it and whatever it started."""
    children = tree(process.pid)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in children:
        if os.path.exists(f"/proc/{pid}"):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue


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


def memory_mib(pid: int) -> float:
    """What a server and its children have of the machine's memory; what they share is counted once."""
    total = 0
    for each in tree(pid):
        with open(f"/proc/{each}/smaps_rollup", encoding="ascii") as stream:
            total += next(int(line.split()[1]) for line in stream if line.startswith("Pss:"))
    return total / 1024


def cpu_s(pid: int) -> float:
    """The processor time that a server and its children have had."""
    total = 0
    for each in tree(pid):
        with open(f"/proc/{each}/stat", encoding="ascii") as stream:
            fields = stream.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


# --- the table


def table(results: Mapping[str, list[Measured]]) -> str:
    """All servers, the fastest at 32 connections first; ratios to the bare ASGI row and to the retired server."""
    lines = [
        "| server | 1 connection: req/s | p99 ms | to bare | 32 connections: req/s | p50 ms | p99 ms | to bare "
        "| to the retired | CPU us a request | start s | memory MiB | failed |",
        "| --- |" + " --- |" * 12,
    ]
    rates = {name: [_median(runs, count, "per_second") for count in CONNECTIONS] for name, runs in results.items()}
    for name, runs in sorted(results.items(), key=lambda item: -rates[item[0]][1]):
        one, many = rates[name]
        p50, p99 = (_median(runs, 32, field) for field in ("p50_ms", "p99_ms"))
        failed = sum(load.failed for run in runs for load in run.loads.values())
        lines.append(
            f"| {name} | {one:,.0f} | {_median(runs, 1, 'p99_ms'):.2f} | {_ratio(one, rates, BARE, 0)} "
            f"| {many:,.0f} | {p50:.2f} | {p99:.2f} | {_ratio(many, rates, BARE, 1)} "
            f"| {_ratio(many, rates, RETIRED, 1)} | {statistics.median(run.cpu_us for run in runs):.0f} "
            f"| {statistics.median(run.start_s for run in runs):.2f} "
            f"| {statistics.median(run.memory_mib for run in runs):.0f} | {failed} |"
        )
    return "\n".join(lines)


def _median(runs: list[Measured], connections: int, field: str) -> float:
    return float(statistics.median(getattr(run.loads[connections], field) for run in runs))


def _ratio(rate: float, rates: Mapping[str, list[float]], to: str, place: int) -> str:
    return f"{rate / rates[to][place]:.2f}" if to in rates else "-"


def noise() -> str:
    """How busy the machine is with other things."""
    return f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
