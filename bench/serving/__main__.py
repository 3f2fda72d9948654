"""Measures the scoring service beside its peers; writes the table into `bench/README.md`: `python -m bench.serving`.

Each server is started alone, for its start and its memory. Then all are started, and round after round, each is
asked for a second over one connection and for a second over 32, in another order each time; the others idle. So a
machine that is busy with other things is so for all of them, and what counts are the ratios within a round, as the
median of the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time

from bench.__main__ import CACHE
from bench.serving import table
from bench.serving.load import loader
from bench.serving.peers import BATCHED, HERE, KEY, PEERS, Peer
from bench.serving.servers import Server, install
from bench.serving.table import Asked, Row, Started
from mlplan.serving import RUNTIME_MAIN

README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "README.md")
WARM_S = 1.0
STARTS = 5


def main() -> None:
    """Measures, prints, and writes the table where all servers were measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often every server is asked")
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long each time")
    parser.add_argument(
        "--only", action="append", default=[], help="part of a server's name: nothing is written then"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with it
    work = os.path.join(CACHE, "serving")
    peers = [peer for peer in PEERS if not options.only or any(part in peer.name for part in options.only)]
    for peer in peers:
        install(os.path.join(work, "envs", peer.env), peer.packages)
    lay_out(work)
    starts = [start_once(work) for _ in range(STARTS)] if BATCHED in {peer.name for peer in peers} else []
    rows = measure(peers, work, options.rounds, options.seconds)
    others = sorted(asked.cost.others for row in rows.values() for asked in row.rounds)
    made = (
        f"{options.rounds} rounds of {options.seconds:g} s, by {loader()}, on {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {time.strftime('%Y-%m-%d')}. Other work took "
        f"{others[len(others) // 2]:.0%} of the machine (median; {others[0]:.0%} to {others[-1]:.0%})."
    )
    text = "\n".join([made, "", *table.servers(rows), "", *table.budgets(rows, starts)])
    print(text)
    if not options.only:
        table.put(README, text)


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def measure(peers: list[Peer], work: str, rounds: int, seconds: float) -> dict[str, Row]:
    """Each server by itself, then all of them in turn."""
    alone = {peer.name: look_at(peer, work) for peer in peers}
    with contextlib.ExitStack() as running:
        servers: list[Server] = []
        for peer in peers:
            server = Server(peer, work)
            running.callback(server.end)
            server.ask(1, WARM_S)
            servers.append(server)
        asked: dict[str, list[Asked]] = {peer.name: [] for peer in peers}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for server in random.sample(servers, len(servers)):
                one, _ = server.ask(1, seconds)
                many, cost = server.ask(32, seconds)
                asked[server.peer.name].append(Asked(one, many, cost))
    return {name: Row(name, *alone[name], asked[name]) for name in asked}


def look_at(peer: Peer, work: str) -> tuple[float, float]:
    """How long it takes to its first good answer, and its memory after a second under load, while no other runs."""
    say(f"starting {peer.name}")
    server = Server(peer, work)
    try:
        server.ask(32, WARM_S)
        return server.start_s, server.memory_mib()
    finally:
        server.end()


def start_once(work: str) -> Started:
    """How long a service without code takes to its first good answer, and an import of scikit-learn just before."""
    peer = next(peer for peer in PEERS if peer.name == BATCHED)
    began = time.monotonic()
    subprocess.run([python_of(work), "-I", "-B", "-c", "import sklearn.linear_model"], check=True)
    import_s = time.monotonic() - began
    server = Server(peer, work)
    server.end()
    return Started(server.start_s, import_s)


def python_of(work: str) -> str:
    """The interpreter of an environment with scikit-learn: mlplan's, or the one of the bare row."""
    found = [os.path.join(work, "envs", env, "bin", "python") for env in ("mlplan", "asgi")]
    return next((python for python in found if os.path.exists(python)), sys.executable)


def lay_out(work: str) -> None:
    """Fits the model and writes what the servers read."""
    import mlplan.serving

    shutil.copytree(HERE, work, dirs_exist_ok=True)
    subprocess.run([python_of(work), os.path.join(work, "fit.py"), work], check=True)
    runtime = os.path.join(work, "runtime")
    shutil.rmtree(runtime, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(os.path.dirname(mlplan.serving.__file__), os.path.join(runtime, "mlplan_serving"), ignore=ignore)
    with open(os.path.join(runtime, "__main__.py"), "w", encoding="utf-8") as stream:
        stream.write(RUNTIME_MAIN)
    _write(os.path.join(work, "keys.json"), {"primary": KEY, "secondary": KEY[::-1]})
    for peer in PEERS:
        if peer.config is not None:
            _write(os.path.join(work, f"service-{peer.port}.json"), {**service(work, peer.port), **peer.config})
    folder = os.path.join(work, "mlserver", "digits")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(work, "model", "model.pkl"), os.path.join(folder, "model.joblib"))
    settings = {"name": "digits", "implementation": "mlserver_sklearn.SKLearnModel"}
    _write(os.path.join(folder, "model-settings.json"), {**settings, "parameters": {"uri": "./model.joblib"}})
    _write(os.path.join(work, "mlserver", "settings.json"), {"host": "127.0.0.1", "debug": False})


def service(work: str, port: int) -> dict[str, object]:
    """The configuration of mlplan's runtime. It checks a key in every row."""
    model = {"name": "digits", "version": 1, "digest": "", "path": os.path.join(work, "model"), "framework": ""}
    return {
        "format": 1,
        "name": "digits",
        "digest": "d" * 64,
        "host": "127.0.0.1",
        "port": port,
        "app_root": work,
        "models": [model],
        "auth": "key",
        "keys_file": os.path.join(work, "keys.json"),
        "threads": 1,
    }


def _write(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value, stream)


if __name__ == "__main__":
    main()
