"""The results as a table beside the budgets, and their place in `bench/README.md`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bench.serving.load import Load
from bench.serving.peers import BARE, BATCHED, PLAIN, RETIRED
from bench.serving.servers import Cost

BEGIN = "<!-- Made by `python -m bench.serving`; what is changed here is lost. -->"
END = "<!-- The end of what it made. -->"


class Asked(NamedTuple):
    """One server in one round."""

    one: Load  # over a single connection
    many: Load  # over 32
    cost: Cost  # of asking over 32


class Row(NamedTuple):
    """One server."""

    name: str
    start_s: float
    memory_mib: float
    rounds: Sequence[Asked]

    def median(self, of: Callable[[Asked], float]) -> float:
        return statistics.median(of(each) for each in self.rounds)

    def ratio(self, other: Row, of: Callable[[Asked], float]) -> float:
        """To another row, round by round: whatever else the machine did then, both had it."""
        return statistics.median(of(a) / of(b) for a, b in zip(self.rounds, other.rounds, strict=True))

    def tail(self) -> float:
        """p99 over p50 at 32 connections, in the third of the rounds in which other work took least."""
        quietest = sorted(self.rounds, key=lambda asked: asked.cost.others)[: max(1, len(self.rounds) // 3)]
        return statistics.median(asked.many.p99_ms / asked.many.p50_ms for asked in quietest)


class Started(NamedTuple):
    """One start of a service without code, to the first good answer, and one import of scikit-learn beside it."""

    service_s: float
    import_s: float


def rate_one(asked: Asked) -> float:
    return asked.one.per_second


def rate_many(asked: Asked) -> float:
    return asked.many.per_second


def servers(rows: dict[str, Row]) -> Iterator[str]:
    """A line a server, the fastest at 32 connections first."""
    yield (
        "| server | 1 connection: req/s | p99 ms | to bare | 32: req/s | p50 ms | p99 ms | to bare | to the retired "
        "| CPU us | start s | MiB | failed |"
    )
    yield "| --- |" + " --- |" * 12
    bare, retired = rows.get(BARE), rows.get(RETIRED)
    for row in sorted(rows.values(), key=lambda row: -row.median(rate_many)):
        failed = sum(load.failed for each in row.rounds for load in (each.one, each.many))
        yield (
            f"| {row.name} | {row.median(rate_one):,.0f} | {row.median(lambda a: a.one.p99_ms):.2f} "
            f"| {_ratio(row, bare, rate_one)} | {row.median(rate_many):,.0f} "
            f"| {row.median(lambda a: a.many.p50_ms):.2f} | {row.median(lambda a: a.many.p99_ms):.2f} "
            f"| {_ratio(row, bare, rate_many)} | {_ratio(row, retired, rate_many)} "
            f"| {row.median(lambda a: a.cost.cpu_us):.0f} | {row.start_s:.2f} | {row.memory_mib:.0f} | {failed} |"
        )


def _ratio(row: Row, other: Row | None, of: Callable[[Asked], float]) -> str:
    return f"{row.ratio(other, of):.2f}" if other else "-"


def budgets(rows: dict[str, Row], starts: Sequence[Started]) -> Iterator[str]:
    """What was promised, what came out, and whether it holds."""
    yield "| what | budget | here | holds |"
    yield "| --- | --- | --- | --- |"
    if BARE in rows and PLAIN in rows:
        for count, of in ((1, rate_one), (32, rate_many)):
            ratio = rows[PLAIN].ratio(rows[BARE], of)
            what = f"no code, one by one, to the bare ASGI row, {count} connection{'s' if count > 1 else ''}"
            yield _budget(what, "at least 0.85", f"{ratio:.2f}", ratio >= 0.85)
    if RETIRED in rows and BATCHED in rows:
        ratio = rows[BATCHED].ratio(rows[RETIRED], rate_many)
        yield _budget("with batching to the retired server, 32 connections", "12", f"{ratio:.1f}", ratio >= 12)
    for name in (BATCHED, PLAIN):
        if name in rows:
            ratio = rows[name].tail()
            what = f"p99 over p50 at 32 connections, {name.partition(', ')[2]}"
            yield _budget(what, "at most 2", f"{ratio:.2f}", ratio <= 2)
    beyond = statistics.median(each.service_s - each.import_s for each in starts) if starts else 0.0
    if starts:
        yield _budget("start beyond importing scikit-learn", "1 s", f"{beyond:.2f} s", beyond <= 1)
    for name in (BATCHED, PLAIN):
        if name in rows and BARE in rows:
            more = rows[name].memory_mib - rows[BARE].memory_mib
            what = f"memory over the bare row, {name.partition(', ')[2]}"
            yield _budget(what, "40 MiB", f"{more:.0f} MiB", more <= 40)


def _budget(what: str, budget: str, here: str, holds: bool) -> str:
    return f"| {what} | {budget} | {here} | {'yes' if holds else '**no**'} |"


def put(path: str, text: str) -> None:
    """Writes `text` between the marks in a file, or at its end where there are none yet."""
    with open(path, encoding="utf-8") as stream:
        before, _, rest = stream.read().partition(BEGIN)
    after = rest.partition(END)[2] or "\n"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
