"""The log, as text and as JSON."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.state import entries as e
from mlplan.state.records import RunRecord
from mlplan.views.history import history

NOW = 1_772_366_700.0  # 2026-03-01T12:05:00Z
RUN, MODEL, SERVICE = Address("run", "train"), Address("model", "digits"), Address("deployment", "digits")
ENDED = RunRecord(
    "train-3f2a9c1e0b-1", RUN, "f" * 64, 1, "Completed", "2026-03-01T12:01:01Z", 250.2, 0, 0, None, "b" * 64, {}, 1
)


def test_the_log_in_words() -> None:
    commits = [
        e.Commit(
            serial=2,
            time="2026-03-01T12:04:30Z",
            who="ann@laptop",
            revision="0123456789abcdef+",
            command="mlplan apply",
            entries=(
                e.IntentOpened("k", RUN, "run", "f" * 64, 1, {}),
                e.IntentClosed("k", "failed", "exit code 1"),
                e.IntentClosed("gone", "cleared"),
                e.Versioned(MODEL, 3, "d" * 64, {}),
                e.RunEnded(ENDED),
                e.ResourceMoved(Address("run", "mnist"), RUN),
                e.SwitchStopped(SERVICE, "new", "old", {"golden.jsonl": {}, "more.jsonl": {}}),
                e.Collected(("a" * 64, "b" * 64)),
            ),
        )
    ]
    assert history(commits, form="text", now=NOW) == (
        "2  2026-03-01 12:04:30 UTC (30 s ago)  ann@laptop, `mlplan apply`, at 0123456789ab+\n"
        "    began to run run.train\n"
        "    run of run.train: failed (exit code 1)\n"
        "    an earlier change: cleared\n"
        "    registered model digits:3\n"
        "    ran train-3f2a9c1e0b-1: Completed after 4 min 10 s\n"
        "    moved run.mnist to run.train\n"
        "    kept a candidate of deployment.digits from the traffic by golden.jsonl, more.jsonl\n"
        "    collected 2 artifacts\n"
    )
    assert history([], form="text") == "Nothing happened yet.\n"


def test_history_cut_short_still_says_what_ended() -> None:
    begun = e.Commit(
        1, "2026-03-01T12:04:29Z", "ann", "", "mlplan apply", (e.IntentOpened("k", RUN, "run", "f", 1, {}),)
    )
    ended = e.Commit(2, "2026-03-01T12:04:30Z", "ann", "", "mlplan apply", (e.IntentClosed("k", "done"),))
    assert history([ended, begun], form="text", limit=1, now=NOW) == (
        "2  2026-03-01 12:04:30 UTC (30 s ago)  ann, `mlplan apply`\n    run of run.train: done\n"
    )
