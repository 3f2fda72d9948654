"""The composite action's steps, in a shell, on pull requests of every sort; with a forge that keeps the comment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import jsonschema
import pytest

from mlplan.ci.comment import LONGEST

from .cases import CASES, Case, a_data_file, a_hostile_branch, an_argument, untouched
from .conftest import Checkout
from .forge import Forge
from .steps import ROOT, Ran, load, run_steps

ACTION = load("action.yml")
INPUTS = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}


def check(checkout: Checkout, **inputs: str) -> Ran:
    """Runs the whole action, on what is checked out."""
    given = {
        **INPUTS,
        "token": "may-write",
        "fail-on": "destructive",
        **{k.replace("_", "-"): v for k, v in inputs.items()},
    }
    context = {f"inputs.{name}": value for name, value in given.items()}
    context |= {"runner.temp": str(checkout.scratch), "github.base_ref": "main"}
    env = {**checkout.env, "GITHUB_ACTION_PATH": ROOT}
    return run_steps(
        ACTION["runs"]["steps"],
        folder=str(checkout.folder),
        scratch=str(checkout.scratch),
        env=env,
        context=context,
    )


@pytest.fixture
def job(checkout: Checkout, forge: Forge) -> Checkout:
    checkout.installed()
    checkout.github(forge)
    return checkout


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_the_check_says(case: Case, job: Checkout, forge: Forge) -> None:
    case.make(job)
    job.commit()
    ran = check(job)
    assert ran.outputs["plan.exitcode"] == str(case.exitcode), ran.log
    assert ran.outputs["plan.changes"] == str(case.changes)
    assert ran.code == (case.exitcode if case.exitcode in (1, 3) else 0)
    (comment,) = forge.comments
    said = comment["body"]
    assert said.startswith("<!-- mlplan ./mlplan.yaml -->\n")
    assert len(said) <= LONGEST
    assert [piece for piece in case.says if piece not in said] == []
    assert [piece for piece in case.says_not if piece in said] == []
    assert ran.summary == said.partition("\n")[2]
    sarif = json.loads((job.scratch / "mlplan-results" / "mlplan.sarif").read_text())
    assert sarif["version"] == "2.1.0"
    assert bool(sarif["runs"][0]["results"]) == (case.exitcode == 1)
    if case.exitcode == 1:
        assert "::error file=mlplan.yaml,line=" in ran.log
        assert ran.outputs["plan.plan"] == ""
    else:
        with open(ran.outputs["plan.plan"], encoding="utf-8") as stream:
            plan = json.load(stream)
        with open(os.path.join(ROOT, "schemas", "plan.json"), encoding="utf-8") as stream:
            jsonschema.validate(plan, json.load(stream))
    assert untouched(job)
    assert job.git("status", "--porcelain") == ""


def test_the_comment_is_one_and_follows_the_branch(job: Checkout, forge: Forge) -> None:
    forge.comments += [{"id": n + 1, "body": f"looks good {n}"} for n in range(100)]
    an_argument(job)
    job.commit()
    check(job)
    assert "0.7" in forge.comments[100]["body"]
    check(job)
    assert forge.writes == 1  # nothing changed, so nothing is written
    a_data_file(job)
    job.commit()
    check(job)
    assert "a.txt" in forge.comments[100]["body"]
    assert len(forge.comments) == 101
    job.git("reset", "-q", "--hard", "origin/main")
    check(job)
    assert len(forge.comments) == 101
    assert "0.7" not in forge.comments[100]["body"]


def test_somebody_elses_comment_with_our_marker_is_left_alone(job: Checkout, forge: Forge) -> None:
    forge.comments.append({"id": 1, "body": "<!-- mlplan ./mlplan.yaml -->\nmine"})
    forge.somebody_elses.add(1)
    check(job)
    assert [comment["body"].endswith("mine") for comment in forge.comments] == [True, False]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"token": "only-reads"}, "the server answered 403 (does the token only read, as that of a fork does?)"),
        ({"token": ""}, "No comment posted: there is no token."),
        ({"comment": "false"}, ""),
    ],
)
def test_a_fork_is_checked_without_a_comment(
    inputs: Mapping[str, str], said: str, job: Checkout, forge: Forge
) -> None:
    a_hostile_branch(job)
    job.commit()
    ran = check(job, **inputs)
    assert ran.code == 0
    assert said in ran.log
    assert forge.comments == []
    assert "run.train" in ran.summary


def test_a_forge_that_is_down_fails_nothing(job: Checkout) -> None:
    job.env["GITHUB_API_URL"] = "http://127.0.0.1:9"
    ran = check(job)
    assert ran.code == 0
    assert "No comment posted" in ran.log


def test_without_the_gate_a_removal_passes(job: Checkout) -> None:
    CASES["a removed deployment"].make(job)
    job.commit()
    ran = check(job, fail_on="")
    assert (ran.code, ran.outputs["plan.exitcode"]) == (0, "2")


def test_a_project_in_a_folder_and_a_base_of_ones_own(job: Checkout, forge: Forge) -> None:
    (job.folder / "ml").mkdir()
    job.git("mv", "mlplan.yaml", "data", "code", "ml/")
    job.commit()
    moved = job.git("rev-parse", "HEAD")
    job.edit("ml/mlplan.yaml", '"0.5"', '"0.9"')
    job.commit()
    ran = check(job, directory="ml", base=moved)
    assert (ran.code, ran.outputs["plan.changes"]) == (0, "3")
    assert forge.comments[0]["body"].startswith("<!-- mlplan ml/mlplan.yaml -->\n")


def test_a_shallow_checkout_fetches_what_it_lacks(job: Checkout, forge: Forge) -> None:
    an_argument(job)
    job.commit()
    job.git("push", "-q", "origin", "work")
    shallow = job.folder.parent / "shallow"
    job.git("clone", "-q", "--depth=1", "--branch=work", job.origin.as_uri(), str(shallow))
    job.folder = shallow
    ran = check(job)
    assert (ran.code, ran.outputs["plan.changes"]) == (0, "3"), ran.log


def test_a_base_that_isnt_there_is_said_so(job: Checkout, forge: Forge) -> None:
    ran = check(job, base="no-such-branch")
    assert ran.code == 1
    assert "**mlplan can't plan this**" in forge.comments[0]["body"]
    assert "no-such-branch" in forge.comments[0]["body"]
    assert "::stop-commands::" in ran.log


def test_the_action_hands_values_on_by_environment_alone() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"], step["id"]
        assert step["shell"] == "bash"


BACKEND = """\
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "mlplan-1.0-py3-none-any.whl"
    info = "mlplan-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("mlplan_stand_in.py", "def main():\\n    print('the one of the action')\\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: mlplan\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nmlplan = mlplan_stand_in:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


def test_the_first_step_installs_the_mlplan_of_the_action_and_nothing_of_the_branch(checkout: Checkout) -> None:
    action = checkout.scratch / "action"
    action.mkdir()
    (action / "backend.py").write_text(BACKEND)
    (action / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    a_hostile_branch(checkout)
    ran = run_steps(
        ACTION["runs"]["steps"][:1],
        folder=str(checkout.folder),
        scratch=str(checkout.scratch),
        env={**checkout.env, "GITHUB_ACTION_PATH": str(action), "PIP_NO_INDEX": "1"},
        context={"inputs.python": sys.executable, "runner.temp": str(checkout.scratch)},
    )
    assert ran.code == 0, ran.log
    said = subprocess.run([checkout.scratch / "mlplan-env" / "bin" / "mlplan"], capture_output=True, text=True)
    assert said.stdout == "the one of the action\n"
    assert untouched(checkout)
