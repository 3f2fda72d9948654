"""The table of targets: whom it names, and what it says without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlplan.manifest.models import COMPUTES
from mlplan.targets.protocols import Resources
from mlplan.targets.registry import TARGETS, fields_without_effect, open_target


def test_it_names_what_the_manifest_offers() -> None:
    assert sorted(TARGETS) == sorted(COMPUTES)


def test_the_local_target_is_opened_without_a_trace(tmp_path: Path) -> None:
    target = open_target("local", f"{tmp_path}/home", "test", {})

    assert target.jobs.keys() == []
    assert target.services.names() == []
    assert target.services.observe("nothing").state == "Absent"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (Resources(), []),
        (Resources(cpu=1, memory_bytes=1), []),
        (Resources(shm_bytes=0), ["resources.shm"]),
        (Resources(gpus=1, shm_bytes=1), ["resources.shm", "resources.gpus"]),
    ],
)
def test_limits_that_do_nothing_are_warned_of(resources: Resources, words: list[str]) -> None:
    found = list(fields_without_effect("local", resources))

    assert [(d.code, d.severity) for d in found] == [("MLP8001", "warning")] * len(words)
    assert [d.detail.split("`")[1] for d in found] == words


def test_the_table_imports_no_target() -> None:
    program = (
        "import sys, mlplan.targets.registry; print([m for m in sys.modules if m.startswith('mlplan.targets.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['mlplan.targets.registry']"
