"""`plan --base REV` says what a change alone adds, however the project lies in the repository and git keeps it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .repository import FILES, MANIFEST, Repository, Seen, project_on_main

RATE = "default: 0.5", "default: 0.25"
RETRAINED = {
    "run.train": Seen("run", "retrain", ["--rate 0.5 -> 0.25"]),
    "model.mean": Seen("register", "serve-only", ["model bytes (known after apply of run.train)"]),
    "deployment.means": Seen("update", "serve-only", ["model mean (known after apply of model.mean)"]),
}


def data_changed(detail: str) -> dict[str, Seen]:
    """What follows where the dataset's content changed."""
    return {
        "dataset.numbers": Seen("register", "cosmetic", [f"content: {detail}" if detail else "content changed"]),
        "run.train": Seen("run", "retrain", [f"dataset numbers: {detail}" if detail else "dataset numbers changed"]),
        "model.mean": RETRAINED["model.mean"],
        "deployment.means": RETRAINED["deployment.means"],
    }


# -- what is compared -----------------------------------------------------------------------------------------------


def test_only_what_the_branch_does_counts(repository: Repository) -> None:
    repository.edit("mlplan.yaml", *RATE)
    repository.commit("here")
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit("meanwhile")
    repository.git("checkout", "--quiet", "work")
    assert repository.plan() == RETRAINED
    repository.git("merge", "--quiet", "--no-edit", "main")
    assert repository.plan() == RETRAINED


def test_the_merge_commit_of_a_pull_request_is_compared_with_its_first_parent(repository: Repository) -> None:
    repository.edit("mlplan.yaml", *RATE)
    repository.commit("here")
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit("meanwhile")
    repository.git("checkout", "--quiet", "--detach")
    repository.git("merge", "--quiet", "--no-edit", "work")
    assert repository.plan() == RETRAINED


def test_what_is_not_committed_does_not_count(repository: Repository) -> None:
    repository.edit("mlplan.yaml", *RATE)
    result = repository.mlplan("plan", "--base", "main")
    assert result.out == "No changes. Everything stays as main has it (6 resources).\n"
    assert result.err == "note: edits that aren't committed don't count: two commits are compared.\n"
    repository.commit("here")
    assert repository.mlplan("plan", "--base", "main").err == ""
    assert repository.plan() == RETRAINED


def test_a_selection_narrows_it(repository: Repository) -> None:
    repository.edit("mlplan.yaml", *RATE)
    repository.edit("data/b.txt", "3", "4")
    repository.commit()
    assert set(repository.plan("--only", "dataset.numbers")) == {"dataset.numbers"}
    assert set(repository.plan("--exclude", "model.mean")) == {"dataset.numbers", "run.train"}
    unknown = repository.mlplan("plan", "--base", "main", "--only", "model.men")
    assert (unknown.code, 'Did you mean "model.mean"?' in unknown.err) == (1, True)


def test_an_unknown_revision_is_named_with_the_nearest(repository: Repository) -> None:
    result = repository.mlplan("plan", "--base", "mian")
    assert (result.code, "Did you mean `main`?" in result.err) == (1, True)
    for revision in ("--output=x", "main..work", "HEAD:mlplan.yaml", ""):
        assert repository.mlplan("plan", "--base", revision or "no such").code == 1
    assert not (repository.folder / "x").exists()


def test_without_git_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "mlplan.yaml").write_text(MANIFEST)
    from mlplan.cli.main import main

    assert main(["-C", str(tmp_path), "plan", "--base", "main"]) == 1


# -- where the project lies -----------------------------------------------------------------------------------------


def test_a_project_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", "teams/digits")
    repository.edit("mlplan.yaml", *RATE)
    (repository.top / "elsewhere.txt").write_text("nothing to do with it")
    repository.commit()
    assert repository.plan() == RETRAINED


def test_a_project_reads_beside_its_folder_but_not_out_of_the_repository(tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", "teams/digits")
    (repository.top / "shared").mkdir()
    (repository.top / "shared/a.txt").write_text("1\n")
    repository.edit("mlplan.yaml", "source: data", "source: [../../shared, ../../../secret, /etc/hostname]")
    repository.git("checkout", "--quiet", "main")
    repository.commit("read beside")
    repository.git("checkout", "--quiet", "-B", "work")
    (repository.top / "shared/a.txt").write_text("2\n")
    repository.commit()
    (tmp_path / "secret").write_text("a")
    assert repository.plan() == data_changed("1 file changed (a.txt)")
    (tmp_path / "secret").write_text("b")
    assert repository.plan() == data_changed("1 file changed (a.txt)")


def test_code_and_packages_out_of_the_repository_are_not_read(tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r")
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text("print(1)\n")
    (tmp_path / "packages.txt").write_text("this line is no package: s3cr3t\n")
    repository.edit("mlplan.yaml", "source: code\n    script: train.py", f"source: {code}\n    script: train.py")
    repository.edit(
        "mlplan.yaml", "entry_script: score.py", "entry_script: score.py\n    environment: {file: ../packages.txt}"
    )
    repository.edit("mlplan.yaml", "request: ask.json", "request: ../packages.txt")
    repository.commit()
    result = repository.mlplan("plan", "--base", "main", "--format", "json")
    assert (result.code, "s3cr3t" in result.out + result.err) == (0, False)
    assert "code/train.py removed" in repository.plan()["run.train"].reasons
    repository.edit("mlplan.yaml", "file: ../packages.txt", "file: packages.txt")
    repository.write({"packages.txt": "-r ../packages.txt\n"})
    repository.commit()
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, "s3cr3t" in result.out + result.err) == (1, False)
    assert "git doesn't hold it in this commit" in result.err


def test_a_new_project_is_all_new(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.write({"README.md": "nothing yet"})
    repository.commit("begin")
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write(FILES)
    repository.commit("add the project")
    assert {change.action for change in repository.plan().values()} == {"create", "register", "run"}
    result = repository.mlplan("plan", "--base", "main")
    assert result.err == "note: main holds no such project: everything is new.\n"


@pytest.mark.parametrize("project", ["", "digits"])
def test_a_removed_project_is_all_deleted(project: str, tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", project)
    (repository.top / "README.md").write_text("stays")
    repository.git("rm", "--quiet", "-r", project or "mlplan.yaml")
    repository.commit("remove the project")
    assert {address: change.action for address, change in repository.plan().items()} == dict.fromkeys(
        ["deployment.means", "inference.scorer", "model.mean", "run.train", "dataset.numbers", "compute.here"],
        "delete",
    )
    assert "is removed: all that main declares goes" in repository.mlplan("plan", "--base", "main").err


def test_a_project_that_moved_in_the_repository_is_the_same_one(repository: Repository) -> None:
    repository.git("mv", "mlplan.yaml", "digits.yaml")
    repository.commit("rename the manifest")
    result = repository.mlplan("-f", "digits.yaml", "plan", "--base", "main")
    assert (result.code, "No changes" in result.out) == (0, True)
    assert result.err == "note: digits.yaml was mlplan.yaml at main.\n"
    (repository.top / "models").mkdir()
    for name in ("digits.yaml", "data", "code", "ask.json"):
        repository.git("mv", name, f"models/{name}")
    repository.commit("move it")
    repository.edit("models/data/b.txt", "3", "4")
    repository.commit("and edit it")
    repository.project = "models"
    result = repository.mlplan("-f", "digits.yaml", "plan", "--base", "main")
    assert result.err == "note: models/digits.yaml was mlplan.yaml at main.\n"
    assert "1 file changed (b.txt)" in result.out
    assert "code/train.py" not in result.out


def test_neither_revision_has_a_project(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit("nothing")
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, "error[MLP5012]" in result.err) == (1, True)


def test_another_workspace_or_project_name_is_said(repository: Repository) -> None:
    repository.edit("mlplan.yaml", "project: pr", "project: other\nworkspace: elsewhere")
    repository.commit()
    result = repository.mlplan("plan", "--base", "main")
    assert "note: the workspace changes from .mlplan to elsewhere: " in result.err
    assert "note: the project changes from pr to other: " in result.err


# -- what is wrong --------------------------------------------------------------------------------------------------


def test_a_broken_head_is_told_as_validate_tells_it(repository: Repository) -> None:
    repository.edit("mlplan.yaml", "compute: here\n    source", "compute: hare\n    source")
    repository.commit()
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, result.out) == (1, "")
    assert "error[MLP3104]" in result.err
    assert "--> mlplan.yaml:13:14" in result.err


def test_golden_requests_are_counted_as_each_revision_has_them(repository: Repository) -> None:
    repository.edit("mlplan.yaml", "test: [{request: ask.json, expect: [1]}]", "test: [{requests: golden.jsonl}]")
    repository.write({"golden.jsonl": '{"request": {"data": [1]}}\n{"request": {"data": [2]}}\n'})
    repository.commit()
    (repository.folder / "golden.jsonl").write_text("not committed")
    result = repository.mlplan("plan", "--base", "main")
    assert "2 golden requests of golden.jsonl will be asked" in result.out
    repository.write({"golden.jsonl": '{"reqest": {"data": [1]}}\n'})
    repository.commit()
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, "--> golden.jsonl:1:2" in result.err) == (1, True)


def test_a_file_that_the_branch_forgot_is_missed(repository: Repository) -> None:
    repository.write({"code/train.py": None})
    repository.commit()
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, "error[MLP3301]: Missing script" in result.err) == (1, True)


def test_a_broken_base_is_not_taken_for_an_empty_one(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", "compute: here\n    source", "compute: hare\n    source")
    repository.commit("break it")
    repository.git("checkout", "--quiet", "-B", "work")
    repository.edit("mlplan.yaml", "hare", "here")
    repository.commit("mend it")
    result = repository.mlplan("plan", "--base", "main", "--fail-on", "destructive")
    assert (result.code, result.out) == (1, "")
    assert "error[MLP5013]: The base can't be read" in result.err
    assert "--> main:mlplan.yaml:13:14" in result.err
    assert "compute: hare" in result.err


# -- moves, profiles, variables -------------------------------------------------------------------------------------


def test_a_move_is_no_change_of_what_moved(repository: Repository) -> None:
    text = MANIFEST.replace("  train:\n", "  fit:\n").replace("run: train", "run: fit")
    text = text.replace("  mean:\n", "  average:\n").replace("[mean]", "[average]")
    moves = "[{from: run.train, to: run.fit}, {from: model.mean, to: model.average}]"
    repository.write({"mlplan.yaml": f"{text}moved: {moves}\n"})
    repository.commit()
    plan = repository.plan()
    assert plan.pop("deployment.means").action == "update"  # its folder of models has another name in it
    assert plan == {
        "run.fit": Seen("update", "cosmetic", ["moved from run.train"]),
        "model.average": Seen("update", "cosmetic", ["moved from model.mean"]),
    }


def test_what_is_renamed_without_a_move_goes_and_comes(repository: Repository) -> None:
    repository.write({"mlplan.yaml": MANIFEST.replace("  mean:\n", "  average:\n").replace("[mean]", "[average]")})
    repository.commit()
    actions = {address: change.action for address, change in repository.plan().items()}
    assert actions == {"model.average": "register", "model.mean": "delete", "deployment.means": "update"}


PROD = "profiles:\n  prod: {deployment: {means: {replicas: 3}}}\n"


def test_a_profile_is_compared_with_itself(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write({"mlplan.yaml": MANIFEST + PROD})
    repository.commit("prod")
    repository.git("checkout", "--quiet", "-B", "work")
    repository.edit("mlplan.yaml", "replicas: 3", "replicas: 4")
    repository.commit()
    assert repository.plan() == {}
    result = repository.mlplan("--profile", "prod", "plan", "--base", "main")
    assert "replicas 3 -> 4" in result.out


def test_a_profile_that_the_change_adds_is_all_new(repository: Repository) -> None:
    repository.write({"mlplan.yaml": MANIFEST + PROD})
    repository.commit()
    result = repository.mlplan("--profile", "prod", "plan", "--base", "main")
    assert result.err == "note: main holds no such project: everything is new.\n"
    unknown = repository.mlplan("--profile", "pord", "plan", "--base", "main")
    assert (unknown.code, "MLP3207" in unknown.err) == (1, True)


def test_variables_count_on_both_sides(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.edit("mlplan.yaml", *RATE)
    repository.edit("mlplan.yaml", "variables:\n", "variables:\n  owner: {default: ann}\n")
    repository.edit("mlplan.yaml", "    tags: {owner: ann}", "    tags: {owner: '${{ var.owner }}'}")
    repository.commit()
    assert repository.plan() == RETRAINED
    result = repository.mlplan("--var", "rate=2", "--var", "owner=bob", "plan", "--base", "main")
    assert "tag owner ann -> bob" in result.out
    assert "1 to update, 5 unchanged" in result.out
    values = tmp_path / "values.yaml"
    values.write_text("rate: 3\nowner: eve\n")
    result = repository.mlplan("--var-file", str(values), "plan", "--base", "main")
    assert "tag owner ann -> eve" in result.out
    monkeypatch.setenv("MLPLAN_VAR_rate", "4")
    assert repository.plan() == {}


def test_a_file_of_variables_in_git_is_read_from_each_revision(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.write({"values.yaml": "rate: 0.5\n"})
    repository.commit("values")
    repository.git("checkout", "--quiet", "-B", "work")
    repository.write({"values.yaml": "rate: 0.25\n"})
    repository.commit()
    result = repository.mlplan("--var-file", str(repository.folder / "values.yaml"), "plan", "--base", "main")
    assert "--rate 0.5 -> 0.25" in result.out


# -- attributes that only an apply can tell -------------------------------------------------------------------------


def test_what_only_an_apply_can_tell_is_the_same_on_both_sides(repository: Repository) -> None:
    mentions = (
        "'${{ dataset.numbers.version }}', '${{ run.first.metrics.a.b }}', '${{ run.first.id }}', "
        "'${{ run.first.outputs }}', '${{ model.mean.version }}', '${{ model.mean.path }}'"
    )
    text = MANIFEST.replace(
        "run:\n",
        "run:\n  first: {compute: here, source: code, script: train.py}\n"
        f"  report: {{compute: here, source: code, script: train.py, arguments: [{mentions}]}}\n",
    ).replace("[mean]", "['mean:2']")
    repository.git("checkout", "--quiet", "main")
    repository.write({"mlplan.yaml": text})
    repository.commit("more")
    repository.git("checkout", "--quiet", "-B", "work")
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit()
    assert set(repository.plan()) == {"dataset.numbers"}
    repository.edit("mlplan.yaml", "mean:2", "mean:3")
    repository.commit()
    assert repository.plan()["deployment.means"].reasons == ["model mean 2 -> 3"]
    repository.edit("mlplan.yaml", "['mean:3']", "[mean]")
    repository.commit()
    assert repository.plan()["deployment.means"].reasons == ["model mean 2 -> current"]


# -- the lock file --------------------------------------------------------------------------------------------------

URL = "https://example.org/a.csv"
ENVIRONMENT = "    script: train.py\n    environment: {python: '3.11', packages: [idna==3.10]}\n"
URLS = f"source: [{URL}]"


def locked(sha256: str, idna: str) -> str:
    from mlplan.lock.environment import environment_request

    request = environment_request({"python": "3.11", "packages": ["idna==3.10"]}, root=".").digest
    return (
        f"format 1\nenvironment {request} python 3.11\n"
        f"package {request[:16]} idna==3.10 --hash=sha256:{idna * 64}\n"
        f"url {URL} size 3 sha256 {sha256 * 64}\n"
    )


@pytest.fixture
def unlocked(repository: Repository) -> Repository:
    """A project that asks for a package and a URL, and has no lock file."""
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", "    script: train.py\n", ENVIRONMENT)
    repository.edit("mlplan.yaml", "source: data", URLS)
    repository.commit("packages")
    repository.git("checkout", "--quiet", "-B", "work")
    return repository


def test_what_is_not_pinned_is_the_same_on_both_sides(unlocked: Repository) -> None:
    unlocked.edit("mlplan.yaml", "owner: ann", "owner: bob")
    unlocked.commit()
    assert set(unlocked.plan()) == {"dataset.numbers"}


def test_a_lock_file_that_the_change_adds_is_no_change(unlocked: Repository) -> None:
    unlocked.write({"mlplan.lock": locked("a", "b")})
    unlocked.commit()
    assert unlocked.plan() == {}


def test_a_pin_that_changes_is_one(unlocked: Repository) -> None:
    unlocked.git("checkout", "--quiet", "main")
    unlocked.write({"mlplan.lock": locked("a", "b")})
    unlocked.commit("lock")
    unlocked.git("checkout", "--quiet", "-B", "work")
    unlocked.write({"mlplan.lock": locked("a", "c")})
    unlocked.commit()
    assert unlocked.plan()["run.train"].reasons == ["locked packages changed"]
    unlocked.write({"mlplan.lock": locked("c", "b")})
    unlocked.commit()
    assert unlocked.plan()["dataset.numbers"].reasons == ["content: 1 file changed (a.csv)"]
    unlocked.write({"mlplan.lock": None})
    unlocked.commit()
    assert unlocked.plan()["run.train"].reasons[0].startswith("dataset numbers")


def test_a_package_that_changes_is_named_once(unlocked: Repository) -> None:
    unlocked.edit("mlplan.yaml", "idna==3.10", "idna==3.9")
    unlocked.commit()
    assert unlocked.plan()["run.train"].reasons == ["package idna 3.10 -> 3.9"]


@pytest.mark.parametrize("wrong", ["base", "head"])
def test_a_lock_file_that_is_wrong_is_told_where_it_is(wrong: str, unlocked: Repository) -> None:
    if wrong == "base":
        unlocked.git("checkout", "--quiet", "main")
    unlocked.write({"mlplan.lock": "format 99\n"})
    unlocked.commit("newer")
    if wrong == "base":
        unlocked.git("checkout", "--quiet", "-B", "work")
    unlocked.write({"NOTES": "x"})
    unlocked.commit()
    result = unlocked.mlplan("plan", "--base", "main")
    assert (result.code, "MLP1103" in result.err) == (1, True)
    assert ("--> main:mlplan.lock:1" in result.err) == (wrong == "base")


# -- what git keeps, and what it doesn't ----------------------------------------------------------------------------


def test_data_that_git_does_not_keep_is_the_same_on_both_sides(tmp_path: Path) -> None:
    files = {**FILES, ".gitignore": ".mlplan/\ndata/\n"}
    repository = project_on_main(tmp_path / "r", files=files)
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit()
    assert repository.plan() == {"dataset.numbers": Seen("update", "cosmetic", ["tag owner ann -> bob"])}
    result = repository.mlplan("plan", "--base", "main")
    assert result.err == (
        "note: git doesn't keep all files of dataset.numbers: a change of those doesn't show here.\n"
    )
    repository.edit("mlplan.yaml", "source: data", "source: other")
    repository.commit()
    assert repository.plan()["run.train"].reasons == ["dataset numbers changed"]


def test_data_that_git_keeps_in_part(tmp_path: Path) -> None:
    files = {**FILES, ".gitignore": ".mlplan/\nbig/\n", "big/x.bin": "0" * 1000}
    files["mlplan.yaml"] = MANIFEST.replace("source: data", "source: [data, 'big/*.bin']")
    repository = project_on_main(tmp_path / "r", files=files)
    repository.edit("data/b.txt", "3", "4")
    repository.commit()
    assert repository.plan() == data_changed("1 file changed (b.txt)")


def test_a_model_file_that_git_does_not_keep(tmp_path: Path) -> None:
    text = MANIFEST.replace("model:\n", "model:\n  given: {file: given.pkl}\n")
    repository = project_on_main(tmp_path / "r", files={**FILES, "mlplan.yaml": text})
    repository.edit("mlplan.yaml", "given: {file: given.pkl}", "given: {file: given.pkl, tags: {by: ann}}")
    repository.commit()
    assert repository.plan() == {"model.given": Seen("update", "cosmetic", ["tag by ann added"])}


def pointer(digest: str, size: int) -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest * 64}\nsize {size}\n"


def test_a_pointer_counts_as_the_file_that_it_stands_for(tmp_path: Path) -> None:
    files = {**FILES, "data/b.txt": pointer("a", 2_000_000), "ask.json": pointer("d", 99)}
    files[".gitattributes"] = "*.txt filter=lfs diff=lfs merge=lfs -text\n"
    repository = project_on_main(tmp_path / "r", files=files)
    repository.write({"data/b.txt": pointer("b", 3_000_000)})
    repository.commit()
    assert repository.plan() == data_changed("1 file changed (b.txt)")
    notes = next(c["notes"] for c in repository.document("--base", "main")["resource_changes"] if c["notes"])
    assert notes == ["2 files, 3.0 MB"]


def test_a_submodule_counts_by_its_commit(tmp_path: Path) -> None:
    inner = Repository(tmp_path / "inner")
    inner.write({"a.txt": "1\n"})
    first = inner.commit("one")
    inner.write({"a.txt": "2\n"})
    second = inner.commit("two")
    text = MANIFEST.replace("source: data", "source: [data, vendored/a.txt]")
    repository = project_on_main(tmp_path / "r", files={**FILES, "mlplan.yaml": text})
    repository.git("checkout", "--quiet", "main")
    for commit in (first, second):
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendored")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},code/more")
        repository.git("commit", "--quiet", "--message", "a submodule")
        repository.git("checkout", "--quiet", "-B", "work")
    plan = repository.plan()
    assert plan["dataset.numbers"].reasons == ["content changed"]
    assert "code/more/submodule commit changed" in plan["run.train"].reasons


def test_links_are_followed_inside_the_repository_alone(tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", "digits")
    repository.git("checkout", "--quiet", "main")
    (repository.top / "shared").mkdir()
    (repository.top / "shared/a.txt").write_text("1\n")
    (tmp_path / "outside.txt").write_text("secret")
    os.symlink("../shared", repository.folder / "linked")
    os.symlink("../../outside.txt", repository.folder / "leak.txt")
    os.symlink("/etc/hostname", repository.folder / "leak2.txt")
    repository.edit("mlplan.yaml", "source: data", "source: [linked, leak.txt, leak2.txt]")
    repository.commit("links")
    repository.git("checkout", "--quiet", "-B", "work")
    (repository.top / "shared/a.txt").write_text("2\n")
    repository.commit()
    assert repository.plan() == data_changed("1 file changed (a.txt)")


def test_a_file_becomes_a_folder_and_back(repository: Repository) -> None:
    repository.write({"data/b.txt": None})
    repository.write({"data/b.txt/deep/c.txt": "3\n"})
    repository.commit()
    assert repository.plan() == data_changed("1 file added (b.txt/deep/c.txt), 1 file removed (b.txt)")


def test_an_executable_bit_counts_in_data(repository: Repository) -> None:
    repository.git("update-index", "--chmod=+x", "data/a.txt")
    repository.git("commit", "--quiet", "-m", "x")
    assert repository.plan() == data_changed("1 file changed (a.txt)")


def test_line_ends_are_taken_as_git_keeps_them(tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", files={**FILES, ".gitattributes": "*.txt text eol=crlf\n"})
    repository.git("config", "core.autocrlf", "true")
    repository.write({"data/b.txt": "3\r\n"})
    repository.commit()
    assert repository.plan() == {}


# -- clones ---------------------------------------------------------------------------------------------------------


def clone(repository: Repository, *words: str) -> Repository:
    target = repository.top.parent / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", *words, f"file://{repository.top}", str(target)], check=True, capture_output=True
    )
    cloned = Repository.__new__(Repository)
    cloned.top, cloned.project = target, repository.project
    return cloned


@pytest.fixture
def grown(repository: Repository) -> Repository:
    """`work` and `main` both went on since they parted."""
    repository.edit("mlplan.yaml", *RATE)
    repository.commit("here")
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", "owner: ann", "owner: bob")
    repository.commit("meanwhile")
    repository.git("checkout", "--quiet", "work")
    return repository


def test_a_shallow_clone_that_does_not_reach_back_is_refused(grown: Repository) -> None:
    shallow = clone(grown, "--depth=1", "--no-single-branch")
    result = shallow.mlplan("plan", "--base", "origin/main")
    assert (result.code, result.out) == (1, "")
    assert "error[MLP5010]" in result.err
    assert "git fetch --unshallow origin" in result.err
    shallow.git("fetch", "--quiet", "--unshallow", "origin")
    assert shallow.plan(base="origin/main") == RETRAINED


def test_a_shallow_clone_of_the_merge_commit_needs_the_base_alone(grown: Repository) -> None:
    grown.git("checkout", "--quiet", "--detach", "main")
    grown.git("merge", "--quiet", "--no-edit", "work")
    grown.git("update-ref", "refs/pull/1/merge", "HEAD")
    grown.git("checkout", "--quiet", "main")
    shallow = clone(grown, "--depth=1")
    shallow.git("fetch", "--quiet", "--depth=1", "origin", "refs/pull/1/merge")
    shallow.git("checkout", "--quiet", "FETCH_HEAD")
    assert shallow.plan(base="origin/main") == RETRAINED


def test_a_partial_clone_is_not_completed_in_secret(grown: Repository) -> None:
    grown.git("config", "uploadpack.allowFilter", "true")
    partial = clone(grown, "--filter=blob:none", "--no-checkout", "--branch=work")
    result = partial.mlplan("plan", "--base", "origin/main")
    assert (result.code, "error[MLP5010]: Clone isn't whole" in result.err) == (1, True)


def test_histories_that_have_nothing_in_common_are_compared_as_they_are(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "fresh")
    repository.edit("mlplan.yaml", *RATE)
    repository.commit("fresh")
    assert repository.plan() == RETRAINED


def test_what_a_removal_loses_is_said_without_a_number_that_nobody_knows(repository: Repository) -> None:
    repository.write(
        {"mlplan.yaml": MANIFEST.partition("dataset:\n")[0].replace("variables", "profiles: {}\nvariables")}
    )
    repository.edit("mlplan.yaml", "variables:\n  rate: {type: number, default: 0.5}\n", "")
    repository.commit()
    losses = {c["address"]: c["loss"] for c in repository.document("--base", "main")["resource_changes"] if c["loss"]}
    assert losses == {
        "deployment.means": "http://127.0.0.1:18321/score stops answering.",
        "inference.scorer": "Only the record goes; services that run on it keep their own copy of the code.",
        "model.mean": "mean is no longer registered anew; its kept versions stay until `mlplan gc`.",
        "run.train": "Nothing runs it any more; its recorded runs stay with the outputs until `mlplan gc`.",
        "dataset.numbers": "It is no longer registered anew; its kept versions stay until `mlplan gc`.",
    }
