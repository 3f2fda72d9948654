"""The workflows and hooks that teams paste in: their scripts run, and what they name is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest

from .cases import hostile_files
from .conftest import Checkout
from .steps import ROOT, Ran, load, run_steps
from .test_action import ACTION, INPUTS

CHECK = load("templates/ci/github/mlplan-check.yml")
APPLY = load("templates/ci/github/mlplan-apply.yml")
HOOKS = {hook["id"]: hook for hook in load(".pre-commit-hooks.yaml")}
DATA = "version: 1\nproject: checked\ndataset:\n  numbers: {source: data}\n"


def run_job(checkout: Checkout, job: str) -> Ran:
    env = {**checkout.env, "PATH": f"{checkout.scratch}/mlplan-env/bin:{checkout.env['PATH']}"}
    steps = APPLY["jobs"][job]["steps"]
    return run_steps(steps, folder=str(checkout.folder), scratch=str(checkout.scratch), env=env, context={})


@pytest.fixture
def runner(checkout: Checkout) -> Checkout:
    checkout.installed()
    checkout.write({"mlplan.yaml": DATA})
    checkout.commit()
    return checkout


def test_a_merge_is_planned_applied_and_then_in_step(runner: Checkout) -> None:
    planned = run_job(runner, "plan")
    assert (planned.code, planned.outputs["plan.changes"]) == (0, "true")
    assert "dataset.numbers" in planned.summary
    applied = run_job(runner, "apply")
    assert applied.code == 0, applied.log
    assert run_job(runner, "plan").outputs["plan.changes"] == "false"


def test_a_plan_that_is_stale_is_refused_and_what_to_do_is_said(runner: Checkout) -> None:
    run_job(runner, "plan")
    runner.write({"data/a.txt": "other\n"})
    applied = run_job(runner, "apply")
    assert applied.code == 7
    assert "::error::Something moved since the plan was made." in applied.log


def test_a_broken_manifest_fails_the_plan(runner: Checkout) -> None:
    runner.write({"mlplan.yaml": "nothing"})
    assert run_job(runner, "plan").code == 1


def test_the_workflows_give_no_more_rights_than_they_need() -> None:
    assert CHECK["permissions"] == {"contents": "read", "pull-requests": "write", "security-events": "write"}
    assert APPLY["permissions"] == {"contents": "read"}
    assert list(CHECK["on"]) == ["pull_request"]  # pull_request_target would hand a fork's branch our secrets
    assert APPLY["concurrency"] == {"group": "mlplan-apply", "cancel-in-progress": "false"}
    for workflow in (CHECK, APPLY):
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")
                if step.get("uses", "").startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] == "false"


def test_the_workflow_uses_what_the_action_offers() -> None:
    (step,) = (step for step in CHECK["jobs"]["check"]["steps"] if step.get("id") == "mlplan")
    assert set(step["with"]) <= set(INPUTS)
    mentioned = re.findall(r"steps\.mlplan\.outputs\.([\w-]+)", str(CHECK))
    assert set(mentioned) <= set(ACTION["outputs"])


def run_hook(checkout: Checkout, name: str, *files: str) -> subprocess.CompletedProcess[str]:
    """Runs a hook's entry as pre-commit does: in an environment that has mlplan, at the top of the repository."""
    entry = shlex.split(HOOKS[name]["entry"])
    path = f"{checkout.scratch}/mlplan-env/bin:{checkout.env['PATH']}"
    passed = files if HOOKS[name].get("pass_filenames", "true") == "true" else ()
    return subprocess.run(
        [*entry, *passed], cwd=checkout.folder, env={**checkout.env, "PATH": path}, capture_output=True, text=True
    )


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_pass_a_project_that_is_fine(hook: str, runner: Checkout) -> None:
    assert run_hook(runner, hook, "mlplan.yaml").returncode == 0


def test_hooks_refuse_what_is_wrong_and_run_nothing_of_the_branch(runner: Checkout) -> None:
    hostile_files(runner)
    runner.edit("mlplan.yaml", "source: data", "sources: data")
    for hook in ("mlplan-validate", "mlplan-schema"):
        ran = run_hook(runner, hook, "mlplan.yaml")
        assert ran.returncode == 1
        assert "MLP2001" in ran.stderr + ran.stdout
    assert not (runner.scratch / "witness").exists()


def test_the_hook_for_the_schema_looks_at_each_file_alone(runner: Checkout) -> None:
    runner.write({"other/mlplan.yaml": DATA.replace("data}", "nowhere}"), "bad/mlplan.yaml": "version: 1\n"})
    assert run_hook(runner, "mlplan-schema", "mlplan.yaml", "other/mlplan.yaml").returncode == 0
    ran = run_hook(runner, "mlplan-schema", "other/mlplan.yaml", "bad/mlplan.yaml")
    assert ran.returncode == 1
    assert "bad/mlplan.yaml:1:1" in ran.stderr


def test_the_hook_for_the_lock_refuses_what_isnt_pinned(runner: Checkout) -> None:
    runner.write({"mlplan.yaml": DATA.replace("data}", "http://127.0.0.1:9/a.csv}")})
    ran = run_hook(runner, "mlplan-lock")
    assert ran.returncode == 1
    assert "MLP1105" in ran.stderr


@pytest.mark.parametrize(
    ("hook", "file", "looked_at"),
    [
        ("mlplan-schema", "mlplan.yaml", True),
        ("mlplan-schema", "ml/mlplan.yml", True),
        ("mlplan-schema", "notmlplan.yaml", False),
        ("mlplan-lock", "mlplan.lock", True),
        ("mlplan-lock", "env/requirements-train.txt", True),
        ("mlplan-lock", "conda_dependencies.yml", True),
        ("mlplan-lock", "code/train.py", False),
    ],
)
def test_which_files_a_hook_looks_at(hook: str, file: str, looked_at: bool) -> None:
    assert bool(re.search(HOOKS[hook]["files"], file)) is looked_at


def test_what_the_page_about_pull_requests_shows_is_what_is_here() -> None:
    with open(os.path.join(ROOT, "docs", "pull-requests.md"), encoding="utf-8") as stream:
        page = stream.read()
    for name in [*INPUTS, *ACTION["outputs"], *HOOKS]:
        assert f"`{name}`" in page, name
    files = re.findall(r"`((?:templates|schemas|docs)/[\w./-]+|action\.yml|\.pre-commit-hooks\.yaml)`", page)
    assert files
    assert [name for name in files if not os.path.exists(os.path.join(ROOT, name))] == []
