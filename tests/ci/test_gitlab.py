"""The GitLab jobs' scripts, in a shell, on merge requests of every sort."""

from __future__ import annotations

import json
import subprocess

import pytest

from .cases import CASES, Case, untouched
from .conftest import Checkout
from .forge import Forge
from .steps import load

JOBS = load("templates/ci/gitlab/mlplan.gitlab-ci.yml")


def run(checkout: Checkout, job: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a job's script as a runner does."""
    given = {name: str(value) for name, value in JOBS[job].get("variables", {}).items()}
    path = f"{checkout.scratch}/mlplan-env/bin:{checkout.env['PATH']}"
    (script,) = JOBS[job]["script"]
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script.replace("/tmp/mlplan-env", f"{checkout.scratch}/mlplan-env")],
        cwd=checkout.folder,
        env={**checkout.env, "PATH": path, **given, **variables},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def job(checkout: Checkout, forge: Forge) -> Checkout:
    checkout.installed()
    checkout.gitlab(forge)
    checkout.env["MLPLAN_COMMENT_TOKEN"] = "may-write"
    return checkout


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_the_check_says(case: Case, job: Checkout, forge: Forge) -> None:
    case.make(job)
    job.commit()
    ran = run(job, "mlplan:check")
    assert ran.returncode == (case.exitcode if case.exitcode in (1, 3) else 0), ran.stderr
    (comment,) = forge.comments
    assert [piece for piece in case.says if piece not in comment["body"]] == []
    assert [piece for piece in case.says_not if piece in comment["body"]] == []
    results = job.folder / "mlplan-results"
    assert bool(json.loads((results / "codequality.json").read_text())) == (case.exitcode == 1)
    assert "<testsuites" in (results / "junit.xml").read_text()
    assert (results / "plan.json").exists() == (case.exitcode != 1)
    assert untouched(job)


def test_a_merge_request_from_a_fork_has_no_token_and_is_checked_all_the_same(job: Checkout, forge: Forge) -> None:
    CASES["an argument"].make(job)
    job.commit()
    ran = run(job, "mlplan:check", MLPLAN_COMMENT_TOKEN="")
    assert ran.returncode == 0
    assert "No comment posted: MLPLAN_COMMENT_TOKEN isn't set" in ran.stderr
    assert "run.train" in ran.stdout
    assert forge.comments == []


def test_what_is_merged_is_planned_and_then_applied(job: Checkout) -> None:
    job.write({"mlplan.yaml": "version: 1\nproject: checked\ndataset:\n  numbers: {source: data}\n"})
    assert run(job, "mlplan:plan").returncode == 0
    assert json.loads((job.folder / "mlplan-plan.json").read_text())
    assert run(job, "mlplan:apply").returncode == 0
    assert run(job, "mlplan:plan").returncode == 0
    job.write({"mlplan.yaml": "nothing"})
    assert run(job, "mlplan:plan").returncode == 1
