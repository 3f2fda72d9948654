"""Measures the budgets of the design and prints a Markdown table: `python -m bench [ROW ...] [--quick]`.

Each row makes its projects in a scratch folder, runs mlplan and its peers in turn and compares them pair by pair. A
peer that isn't on this machine is left out, and the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench import peers, projects
from bench.measure import Command, in_turn, median_s, ratio, run

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mlplan-bench")


class Row(NamedTuple):
    """One line of the table."""

    what: str
    ours: str
    peer: str
    ratio: str
    budget: str
    holds: bool | None  # None: the peer isn't here


class Bench(NamedTuple):
    """Where to measure and how often."""

    scratch: str
    rounds: int
    quick: bool

    def folder(self, name: str) -> str:
        """A new folder; its parent is for what a measurement leaves."""
        path = os.path.join(self.scratch, name, "project")
        os.makedirs(os.path.dirname(path))
        return path

    def ready(
        self, name: str, make: Callable[[str], None], *steps: list[str], env: dict[str, str] | None = None
    ) -> str:
        """A project, made and brought to the state where nothing is to do."""
        folder = self.folder(name)
        make(folder)
        for argv in steps:
            run(Command(argv, folder, env or {}))
        return folder


def against(
    what: str, ours: str, commands: dict[str, Command], budgets: dict[str, tuple[float, str]], rounds: int
) -> Iterator[Row]:
    """A row for each budget: our time over that peer's, at most the limit."""
    samples = in_turn(commands, rounds)
    for peer, (limit, budget) in budgets.items():
        if peer not in samples:
            yield Row(what, f"{median_s(samples[ours]):.3f} s", f"{peer}: not on this machine", "", budget, None)
            continue
        times = ratio(samples[ours], samples[peer])
        theirs = f"{peer}: {median_s(samples[peer]):.3f} s"
        yield Row(what, f"{median_s(samples[ours]):.3f} s", theirs, f"{times:.2f}", budget, times <= limit)


def plan_of_the_example(bench: Bench) -> Iterator[Row]:
    port = free_port()
    env = {"MLPLAN_VAR_port": port}
    folder = bench.ready("quickstart", projects.quickstart, [peers.mlplan(), "apply", "-y"], env=env)
    try:
        commands = {
            "mlplan plan": Command([peers.mlplan(), "plan", "--detailed-exitcode"], folder, env),
            **peers_at(bench, 6),
        }
        budgets = {"dvc status": (0.5, "under half"), "terraform plan": (2.0, "at most 2x")}
        yield from against("plan, nothing to do, the quickstart", "mlplan plan", commands, budgets, bench.rounds)
    finally:
        run(Command([peers.mlplan(), "destroy", "-y"], folder, env))


def plan_of_many(bench: Bench) -> Iterator[Row]:
    count = 100 if bench.quick else 1000
    folder = bench.ready("many", lambda here: projects.resources(here, count), [peers.mlplan(), "apply", "-y"])
    plan = Command([peers.mlplan(), "plan", "--detailed-exitcode"], folder)
    commands = {"mlplan plan": plan, **peers_at(bench, count, dvc=False)}
    what = f"the same with {count:,} resources"
    yield from against(what, "mlplan plan", commands, {"terraform plan": (0.5, "under half")}, bench.rounds)
    peak = max(run(plan).peak_bytes for _ in range(3)) / 1e6
    yield Row(f"memory of plan, {count:,} resources", f"{peak:.0f} MB", "", "", "under 80 MB", peak < 80)


def comparison_of_two_revisions(bench: Bench) -> Iterator[Row]:
    """`plan --base` on a branch that changes three of many resources; no state, no cache of an apply."""
    count = 100 if bench.quick else 1000
    folder = bench.ready("revisions", lambda here: projects.two_revisions(here, count))
    commands = {
        "mlplan plan --base": Command([peers.mlplan(), "plan", "--base", "base"], folder),
        **peers_at(bench, count, dvc=False),
    }
    what = f"plan --base, {count:,} resources"
    for row in against(what, "mlplan plan --base", commands, {"terraform plan": (0.5, "")}, bench.rounds):
        yield row._replace(budget="under 1 s", holds=float(row.ours.split()[0]) < 1)


def errors_of_a_long_manifest(bench: Bench) -> Iterator[Row]:
    folder = bench.ready("broken", projects.broken)
    validate = Command([peers.mlplan(), "validate"], folder)
    seconds = median_s([run(validate, accept=(1,)) for _ in range(bench.rounds)])
    yield Row("validate, 10,000 lines with 200 errors", f"{seconds:.3f} s", "", "", "under 1 s", seconds < 1)


def plan_of_many_files(bench: Bench) -> Iterator[Row]:
    count = 10_000 if bench.quick else 100_000
    folder = bench.ready("files", lambda here: projects.many_files(here, count), [peers.mlplan(), "apply", "-y"])
    commands = {"mlplan plan": Command([peers.mlplan(), "plan", "--detailed-exitcode"], folder)}
    if git := peers.git():
        for argv in (
            [git, "init", "-q"],
            [git, "add", "-A"],
            [git, "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "data"],
        ):
            run(Command(argv, folder))
        commands["git status"] = Command([git, "status", "--short"], folder)
    if dvc := peers.dvc(CACHE):
        with_dvc = bench.folder("files-dvc")
        shutil.copytree(os.path.join(folder, "data"), os.path.join(with_dvc, "data"))
        for argv in ([dvc, "init", "-q", "--no-scm"], [dvc, "add", "-q", "data"]):
            run(Command(argv, with_dvc, peers.DVC_ENV))
        commands["dvc status"] = Command([dvc, "status", "-q"], with_dvc, peers.DVC_ENV)
    what = f"plan, a dataset of {count:,} unchanged files"
    budgets = {"git status": (2.0, "at most 2x"), "dvc status": (0.2, "at most a fifth")}
    yield from against(what, "mlplan plan", commands, budgets, min(bench.rounds, 5))


def hashing(bench: Bench) -> Iterator[Row]:
    """New data is hashed at the first plan. The peer: as many `sha256sum` as there are cores, on the same files."""
    files, size = (8, 16 << 20) if bench.quick else (16, 128 << 20)
    folder = bench.ready("large", lambda here: projects.large_files(here, files, size))
    everything = 'printf "%s\\0" data/* | xargs -0 -n 1 -P "$(nproc)" sha256sum'

    def forget() -> None:
        shutil.rmtree(os.path.join(folder, ".mlplan"), ignore_errors=True)

    commands = {
        "mlplan plan": Command([peers.mlplan(), "plan"], folder, before=forget),
        "sha256sum on all cores": Command(["sh", "-c", everything], folder),
    }
    gigabytes = files * size / 1e9
    samples = in_turn(commands, min(bench.rounds, 5))
    ours, theirs = samples["mlplan plan"], samples["sha256sum on all cores"]
    share = 1 / ratio(ours, theirs)
    yield Row(
        f"plan, {gigabytes:.1f} GB of new data to hash",
        f"{gigabytes / median_s(ours):.2f} GB/s",
        f"sha256sum on all cores: {gigabytes / median_s(theirs):.2f} GB/s",
        f"{share:.0%}",
        "at least 80%",
        share >= 0.8,
    )


def apply_around_nothing(bench: Bench) -> Iterator[Row]:
    folder = bench.ready("one-run", projects.one_run, [peers.mlplan(), "apply", "-y"])
    bare = bench.folder("bare")
    shutil.copytree(os.path.join(folder, "code"), bare)
    numbers = iter(range(1, 1000))
    overheads, whole = [], []
    for turn in range(bench.rounds + 1):
        apply = run(Command([peers.mlplan(), "--var", f"n={next(numbers)}", "apply", "-y"], folder))
        script = run(Command([sys.executable, "nothing.py"], bare))
        if turn:
            overheads.append(apply.seconds - script.seconds)
            whole.append(apply.seconds)
    median = sorted(overheads)[len(overheads) // 2]
    yield Row(
        "apply around a script that does nothing",
        f"{sorted(whole)[len(whole) // 2]:.3f} s",
        "the bare script",
        f"+{median:.2f} s",
        "at most +0.5 s",
        median <= 0.5,
    )


def exactly_once(bench: Bench) -> Iterator[Row]:
    """A training, a version and a new service, each time with another argument; `exactly_once.py` tells the share."""
    port = free_port()
    env = {"MLPLAN_VAR_port": port}
    folder = bench.ready("exactly-once", projects.quickstart, [peers.mlplan(), "apply", "-y"], env=env)
    report = os.path.join(folder, "..", "exactly-once.json")
    measured = [sys.executable, os.path.join(os.path.dirname(__file__), "exactly_once.py"), report, "--"]
    samples = []
    try:
        for turn in range(min(bench.rounds, 5)):
            run(Command([*measured, "--var", f"regularization=0.{turn + 2}", "apply", "-y"], folder, env))
            with open(report, encoding="utf-8") as stream:
                samples.append(json.load(stream))
    finally:
        run(Command([peers.mlplan(), "destroy", "-y"], folder, env))
    share = statistics.median(sample["exactly_once"] / sample["whole"] for sample in samples)
    yield Row(
        "cost of exactly-once, an apply of the quickstart",
        f"{statistics.median(sample['whole'] for sample in samples):.3f} s",
        f"of it intents, flushes, lease: {statistics.median(s['exactly_once'] for s in samples):.3f} s",
        f"{share:.1%}",
        "under 5%",
        share < 0.05,
    )


def peers_at(bench: Bench, count: int, *, dvc: bool = True) -> dict[str, Command]:
    """terraform with `count` resources and DVC with `count` stages, both with nothing to do."""
    commands = {}
    if terraform := peers.terraform():
        steps = ([terraform, "init", "-input=false"], [terraform, "apply", "-auto-approve", "-input=false"])
        folder = bench.ready(
            f"terraform-{count}", lambda here: projects.terraform(here, count), *steps, env=peers.TERRAFORM_ENV
        )
        plan = [terraform, "plan", "-input=false", "-detailed-exitcode"]
        commands["terraform plan"] = Command(plan, folder, peers.TERRAFORM_ENV)
    if dvc and (program := peers.dvc(CACHE)):
        steps = ([program, "init", "-q", "--no-scm"], [program, "repro", "-q"])
        folder = bench.ready(f"dvc-{count}", lambda here: projects.dvc_stages(here, count), *steps, env=peers.DVC_ENV)
        commands["dvc status"] = Command([program, "status", "-q"], folder, peers.DVC_ENV)
    return commands


def free_port() -> str:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "example": plan_of_the_example,
    "many": plan_of_many,
    "base": comparison_of_two_revisions,
    "broken": errors_of_a_long_manifest,
    "files": plan_of_many_files,
    "hashing": hashing,
    "apply": apply_around_nothing,
    "exactly-once": exactly_once,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the budgets of the design.")
    parser.add_argument("rows", nargs="*", help=f"which ones: {', '.join(ROWS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=11, help="how often each command is measured")
    parser.add_argument("--quick", action="store_true", help="smaller projects, to see that it works")
    options = parser.parse_args()
    told = ", ".join(f"{name} {version}" for name, version in peers.versions(CACHE).items())
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; {told}\n")
    print("| what | mlplan | beside it | ratio | budget | holds |\n| --- | --- | --- | --- | --- | --- |")
    missed = False
    with tempfile.TemporaryDirectory(prefix="mlplan-bench-") as scratch:
        for name in options.rows or ROWS:
            for row in ROWS[name](Bench(os.path.join(scratch, name), options.rounds, options.quick)):
                holds = {True: "yes", False: "**no**", None: "-"}[row.holds]
                print(f"| {' | '.join((*row[:5], holds))} |", flush=True)
                missed = missed or row.holds is False
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
