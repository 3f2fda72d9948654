"""A plan kept in a file is shown as it was made, and applied with the selection it was made with, or refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .repository import FILES, MANIFEST, Repository, project_on_main

TWO_RUNS = """\
version: 1
project: two
compute:
  here: {type: local}
run:
  one: {compute: here, command: [touch, outputs/one]}
  two: {compute: here, source: code, script: train.py, arguments: ["1"]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """Two runs; the first has the project's folder as its source."""
    return project_on_main(tmp_path / "r", files={"mlplan.yaml": TWO_RUNS, "code/train.py": "pass\n"})


def kept(project: Repository, *words: str) -> str:
    """The path of a plan file, outside the project."""
    path = str(project.top.parent / "kept.json")
    result = project.mlplan("plan", "--out", path, *words)
    assert result.code == 0, result.err
    return path


def applied(result_text: str) -> set[str]:
    lines = map(json.loads, result_text.splitlines())
    return {line["address"] for line in lines if line["type"] == "change_finished"}


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ((), {"compute.here", "run.one", "run.two"}),
        (("--only", "run.two"), {"compute.here", "run.two"}),
        (("--exclude", "run.two"), {"compute.here", "run.one"}),
    ],
)
def test_what_was_left_out_stays_left_out(words: tuple[str, ...], made: set[str], project: Repository) -> None:
    path = kept(project, *words)
    result = project.mlplan("apply", path, "--format", "json")
    assert (result.code, applied(result.out)) == (0, made), result.err
    again = project.mlplan("apply", path)
    assert (again.code, "MLP5003" in again.err) == (7, True)


def test_what_was_to_be_made_anew_is_made_anew(project: Repository) -> None:
    project.mlplan("apply", "-y")
    result = project.mlplan("apply", kept(project, "--replace", "run.two"), "--format", "json")
    assert (result.code, applied(result.out)) == (0, {"run.two"})


def test_an_empty_plan_is_applied_and_says_so(project: Repository) -> None:
    project.mlplan("apply", "-y")
    result = project.mlplan("apply", kept(project))
    assert (result.code, result.out) == (0, "No changes. Everything is as the manifest says (3 resources).\n")


def test_a_selection_beside_the_file_is_refused(project: Repository) -> None:
    result = project.mlplan("apply", kept(project), "--only", "run.one")
    assert (result.code, "MLP5017" in result.err) == (1, True)


def test_a_resource_that_is_gone_since_makes_it_stale(project: Repository) -> None:
    path = kept(project, "--only", "run.two")
    project.write({"mlplan.yaml": TWO_RUNS[: TWO_RUNS.index("  two:")]})
    result = project.mlplan("apply", path)
    assert result.code == 7
    assert "the manifest, its profile or its variables changed" in " ".join(result.err.split())


def test_a_file_among_the_code_is_refused_before_it_is_stale(
    project: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    refused = project.mlplan("plan", "--out", "kept.json")
    assert refused.code == 1
    assert "kept.json would be stale as soon as it is written: run.one: kept.json changed." in refused.err
    assert not (project.folder / "kept.json").exists()
    assert project.mlplan("plan", "--out", "mlplan-plan.json").code == 0
    assert project.mlplan("apply", "mlplan-plan.json").code == 0
    assert project.mlplan("plan", "--detailed-exitcode").code == 0


def test_a_place_that_can_not_be_written_to_is_told(project: Repository, tmp_path: Path) -> None:
    refused = project.mlplan("plan", "--out", str(tmp_path / "nowhere" / "plan.json"))
    assert (refused.code, "no such file or directory" in refused.err) == (1, True)


def test_a_pipe_or_a_device_is_not_replaced(project: Repository, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused = project.mlplan("plan", "--out", str(tmp_path / "pipe"))
    assert refused.code == 1
    assert "pipe can't be written: it is no plain file." in " ".join(refused.err.split())
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("name", ["mlplan.yaml", "code/train.py"])
def test_what_is_no_plan_is_not_written_over(name: str, project: Repository) -> None:
    before = (project.folder / name).read_text()
    refused = project.mlplan("plan", "--out", str(project.folder / name))
    assert refused.code == 1
    assert "can't be written: it holds something else than a plan." in " ".join(refused.err.split())
    assert (project.folder / name).read_text() == before


@pytest.mark.parametrize("before", ["", '{"format_version": "9.0", "resource_changes": []}'])
def test_an_empty_file_and_an_earlier_plan_are_written_over(before: str, project: Repository, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(before)
    assert project.mlplan("plan", "--out", str(tmp_path / "plan.json")).code == 0
    assert json.loads((tmp_path / "plan.json").read_text())["project"] == "two"


def test_a_link_to_a_file_stays_a_link(project: Repository, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "plan.json")
    assert project.mlplan("plan", "--out", str(tmp_path / "link.json")).code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "plan.json").read_text())["resource_changes"]


def test_a_kept_plan_is_shown_as_it_was_made(repository: Repository) -> None:
    repository.mlplan("plan")
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit()
    repository.write({"data/c.txt": "4\n"})
    path = str(repository.top.parent / "kept.json")
    words = ("--base", "main", "--with-state", "--exclude", "deployment.means")
    for form in ("text", "json"):
        made = repository.mlplan("plan", *words, "--format", form, "--out", path)
        assert made.code == 0, made.err
        shown = repository.mlplan("show", path, "--format", form)
        assert (shown.out, shown.err) == (made.out, made.err)
    text = repository.mlplan("show", path).out
    assert "From this change" in text
    assert "Only the chosen resources were looked at." in text


MANY = MANIFEST.replace("  owner: ann", "").replace("tags: {owner: ann}", "tags: {TAGS}")


def test_a_comment_that_leaves_something_out_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = ", ".join(f"tag-{number}: {'x' * 70}" for number in range(900))
    repository = project_on_main(tmp_path / "r", files={**FILES, "mlplan.yaml": MANY.replace("TAGS", tags)})
    repository.write({"mlplan.yaml": MANY.replace("TAGS", tags.replace("xx: ", "").replace("x" * 70, "y" * 70))})
    repository.commit()
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/project")
    monkeypatch.setenv("GITHUB_RUN_ID", "17")
    for words in (("--base", "main"), ()):
        text = repository.mlplan("plan", *words, "--format", "markdown").out
        assert len(text) <= 65_536
        assert "All of it: https://github.example/team/project/actions/runs/17" in text
    monkeypatch.delenv("GITHUB_RUN_ID")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/job/3")
    assert "All of it: https://gitlab.example/job/3" in repository.mlplan("plan", "--format", "markdown").out
