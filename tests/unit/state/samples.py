"""A log that says everything a log can say once."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.state import entries as e
from mlplan.state.records import RunRecord

TRAIN, OLD = Address("run", "train"), Address("run", "mnist")
MODEL, SERVICE = Address("model", "mymodel"), Address("deployment", "myservice")

RUN = RunRecord(
    "train-3f2a9c1e0b-1", OLD, "f" * 64, 1, "Completed", "2026-03-01T12:00:00Z", 12.5, 1 << 30, 0,
    "a" * 64, "b" * 64, {"accuracy": 0.9185}, 0,
)  # fmt: skip

ENTRIES: tuple[tuple[e.Entry, ...], ...] = (
    (e.Created("lineage", "tutorial"), e.LeaseTaken("lease-1", {"who": "ann@laptop", "pid": 4711})),
    (e.IntentOpened("key-1", OLD, "run", "f" * 64, 1, {"target": "local"}),),
    (
        e.RunEnded(RUN),
        e.IntentClosed("key-1", "done"),
        e.ResourceRecorded(OLD, {"--alpha": Part("result", "c" * 64, 0.5)}, {"id": RUN.id}, False),
    ),
    (e.Versioned(MODEL, 1, "d" * 64, {"run": RUN.id}), e.ResourceRecorded(MODEL, {}, {"version": 1}, True)),
    (e.ResourceMoved(OLD, TRAIN),),
    (
        e.IntentOpened("key-2", SERVICE, "create", "e" * 64, 1, {}),
        e.SwitchStopped(SERVICE, "e" * 64, "", {"golden.jsonl": {"asked": 2, "changed": 1}}),
    ),
    (e.IntentClosed("key-2", "failed", "its init() failed"), e.ResourceRecorded(SERVICE, {}, {}, False)),
    (e.ResourceRemoved(SERVICE), e.Collected(("b" * 64,))),
    (e.LeaseReleased("lease-1"),),
)

COMMITS = tuple(
    e.Commit(serial, f"2026-03-01T12:00:0{serial}Z", "ann@laptop", "0123abc+", "mlplan apply", entries)
    for serial, entries in enumerate(ENTRIES, start=1)
)
