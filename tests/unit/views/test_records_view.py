"""What is recorded of resources, versions and executions, as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

from mlplan.address import Address
from mlplan.fingerprint import Part
from mlplan.json_types import Json
from mlplan.state.records import EMPTY, Intent, Recorded, RunRecord, RunStatus, Version
from mlplan.views import records
from mlplan.workspace.protocols import FileEntry, Tree

NOW = 1_772_366_700.0  # 2026-03-01T12:05:00Z
RUN, MODEL, DATA = Address("run", "train"), Address("model", "digits"), Address("dataset", "digits")
SERVICE = Address("deployment", "digits")


def _run(number: int, status: RunStatus = "Completed", **fields: Any) -> RunRecord:
    record = RunRecord(
        f"train-3f2a9c1e0b-{number}", RUN, "f" * 64, number, "Completed", f"2026-03-01T12:0{number}:01.250+00:00",
        250.2, 1_200_000_000, 0, "a" * 64, "b" * 64, {"accuracy": 0.9185, "loss": 0.31}, number,
    )  # fmt: skip
    return record._replace(status=status, **fields)


URI = "http://127.0.0.1:6789/score"
OUTPUTS: dict[str, Json] = {"scoring_uri": URI, "digest": "d" * 64, "versions": {"digits": 2}}
STATE = EMPTY._replace(
    serial=9,
    lineage="l",
    project="tutorial",
    resources={
        SERVICE: Recorded(SERVICE, {"port": Part("replace", "1" * 64, 6789)}, OUTPUTS, True, 9),
        RUN: Recorded(RUN, {}, {"id": "train-3f2a9c1e0b-1", "metrics": {"accuracy": 0.9185}}, False, 7),
        MODEL: Recorded(MODEL, {"model bytes": Part("result", "2" * 64)}, {"version": 2}, False, 8),
    },
    versions={
        MODEL: (
            Version(
                1, "1" * 64, 4, {"run_id": "train-3f2a9c1e0b-1", "size_bytes": 1200, "metrics": {"accuracy": 0.9}}
            ),
            Version(2, "2" * 64, 8, {"run_id": "train-3f2a9c1e0b-2", "size_bytes": 9_912_422}),
        )
    },
    runs={RUN: (_run(1), _run(2, "Failed", exit_code=1, metrics={}, outputs=None))},
)


def test_the_state_at_a_glance() -> None:
    assert records.state_overview(STATE, form="text") == (
        "ADDRESS            YIELDS\n"
        "run.train          train-3f2a9c1e0b-1  accuracy 0.9185\n"
        "model.digits       digits:2\n"
        "deployment.digits  http://127.0.0.1:6789/score          protected\n"
    )
    assert records.state_overview(EMPTY, form="text") == "Nothing is recorded yet.\n"


def test_an_interrupted_apply_is_told() -> None:
    open_one = STATE._replace(intents={"k": Intent("k", RUN, "run", "f" * 64, 1, {}, 9)})
    assert "An apply was interrupted at run.train; the next one settles it." in records.state_overview(
        open_one, form="text"
    )
    assert json.loads(records.state_overview(open_one, form="json"))["open_intents"] == ["run.train"]


def test_versions_the_newest_first_the_current_one_marked() -> None:
    assert records.versions(STATE, "model", [MODEL], form="text") == (
        "VERSION             DIGEST        SIZE    FROM                METRICS\n"
        "digits:2 (current)  222222222222  9.9 MB  train-3f2a9c1e0b-2\n"
        "digits:1            111111111111  1.2 kB  train-3f2a9c1e0b-1  accuracy 0.9\n"
    )
    assert records.versions(STATE, "dataset", [DATA], form="text") == "No dataset has a version yet.\n"
    newest, older = json.loads(records.versions(STATE, "model", [MODEL], form="json"))
    assert (newest["version"], newest["current"], older["current"]) == (2, True, False)


def test_a_version_with_its_files() -> None:
    tree = Tree("2" * 64, (FileEntry("model.pkl", "3" * 64, 9_912_422), FileEntry("bell\x07.txt", "4" * 64, 1)))
    text = records.version(MODEL, STATE.versions[MODEL][1], tree, STATE.resources[MODEL], form="text")
    assert text.startswith("model digits:2 (current)\n  digest")
    assert "model.pkl     9.9 MB  333333333333\n" in text
    assert "bell\\x07.txt  1 B     444444444444\n" in text


def test_executions_with_their_times() -> None:
    assert records.runs(STATE, [RUN], form="text", now=NOW) == (
        "ID                  STATUS     STARTED    TOOK        MEMORY  METRICS\n"
        "train-3f2a9c1e0b-2  Failed     2 min ago  4 min 10 s  1.2 GB\n"
        "train-3f2a9c1e0b-1  Completed  3 min ago  4 min 10 s  1.2 GB"
        "  accuracy 0.9185, loss 0.31\n"
    )
    first, _ = json.loads(records.runs(STATE, [RUN], form="json", now=NOW))
    assert first["started"] == "2026-03-01T12:02:01.250+00:00"


def test_an_execution_says_what_ended_it() -> None:
    killed = _run(2, "Failed", exit_code=-9, ended_by="timeout")
    assert "  status           Failed (timeout)\n" in records.run(killed, form="text")
    assert "  status           Completed (exit code 0)\n" in records.run(_run(1), form="text")


def test_a_resource_tells_what_golden_requests_came_to_when_it_was_applied() -> None:
    report = {"asked": 200, "wrong": 0, "changed": 0, "p50_ms": 1.0, "p99_ms": 2.0}
    recorded = Recorded(SERVICE, {}, {"golden": {"golden.jsonl": report}}, False, 9)
    assert records.resource(recorded, form="text") == (
        "deployment.digits, recorded by commit 9\n"
        "  golden  golden.jsonl: 200 answered, p50 1.00 ms, p99 2.00 ms\n"
        "\n"
        "Applied with\n"
    )


def test_a_metrics_name_cannot_steer_the_terminal() -> None:
    shown = records.run(_run(1, metrics={"\x1b[31mloss\n": 0.5, "auc": 0.9}), form="text", now=NOW)
    assert "  metric \\x1b[31mloss\\n  0.5\n  metric auc             0.9\n" in shown
