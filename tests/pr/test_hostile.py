"""A branch can't make a check run its code, believe its caches, read beyond the repository, or reach anybody."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from mlplan.fingerprint.python import python_meaning
from mlplan.manifest import cache
from mlplan.manifest.load import load
from mlplan.workspace.table import Table

from .repository import FILES, MANIFEST, Repository, project_on_main

WATCHED = str(Path(__file__).with_name("watched.py"))
ITS_PORT = "VIOLATION socket.bind (('127.0.0.1', 18321),)"
"""How a plan on the state asks whether a service's port is free: of this machine, and of nobody else."""
MODULES = (
    "setup", "conftest", "sitecustomize", "usercustomize", "yaml", "json", "typing", "pydantic", "jsonschema",
    "subprocess", "tempfile", "hashlib", "code/reading", "code/train", "code/score", "code/sitecustomize",
)  # fmt: skip


def files_that_fire(canary: Path) -> dict[str, str]:
    """Files that leave a trace where anybody runs them."""
    fire = f"open({str(canary)!r}, 'a').write(__name__)\n"
    made = {f"{name}.py": f"{fire}def read():\n    return 2\n" for name in MODULES}
    return {
        **made,
        "evil.pth": f"import os; {fire}",
        "code/evil.pth": f"import os; {fire}",
        "code/__init__.py": fire,
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n',
        "setup.cfg": "[options]\npackages = find:\n",
        ".gitattributes": "* filter=evil diff=evil export-subst\n*.txt text eol=crlf\n",
        "data/a.txt": "$Format:%H$\n",
        ".envrc": fire,
    }


def arm_git(repository: Repository, canary: Path) -> None:
    """Configures whatever git would run for a file of the branch, or by itself."""
    fire = f"sh -c 'echo fired >> {canary}; cat'"
    for name, value in {
        "filter.evil.clean": fire,
        "filter.evil.smudge": fire,
        "filter.evil.required": "true",
        "filter.lfs.process": fire,
        "diff.evil.textconv": fire,
        "diff.evil.command": fire,
        "diff.external": fire,
        "core.fsmonitor": fire,
        "core.pager": fire,
        "pager.blame": fire,
        "credential.helper": f"!{fire}",
    }.items():
        repository.git("config", name, value)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        path = repository.top / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho fired >> {canary}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


def hidden_repository(canary: Path) -> dict[str, str]:
    """A folder that looks like a bare repository, with a configuration of its own."""
    return {
        "HEAD": "ref: refs/heads/main\n",
        "objects/keep": "",
        "refs/keep": "",
        "config": f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f"\tfsmonitor = \"sh -c 'echo fired >> {canary}'\"\n",
    }


@pytest.fixture
def hostile(tmp_path: Path) -> Repository:
    """A branch that attacks, checked out; `main` is harmless."""
    repository = project_on_main(tmp_path / "r", "digits")
    canary = tmp_path / "canary"
    repository.write(files_that_fire(canary))
    repository.write(hidden_repository(canary))
    repository.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    repository.commit("attack")
    arm_git(repository, canary)
    for path in repository.folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)  # so that git has to look into every file again
    return repository


def clean_environment(home: Path) -> dict[str, str]:
    """No credentials, nothing of the machine's."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("GIT_CONFIG") or name == "COLUMNS"}
    return {**kept, "PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"}


def run(repository: Repository, *words: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    program = program or (sys.executable, WATCHED, str(repository.top), "--")
    return subprocess.run(
        [*program, *words],
        cwd=repository.folder,
        env=clean_environment(repository.top.parent / "home"),
        capture_output=True,
        text=True,
        check=False,
    )


def listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and folder with what would tell that it was written."""
    found = {str(path): path.lstat() for path in folder.rglob("*")}
    return {name: (facts.st_mode, facts.st_size, facts.st_ctime_ns) for name, facts in found.items()}


def test_comparing_runs_nothing_reaches_nobody_and_writes_nothing(hostile: Repository) -> None:
    before = listing(hostile.top)
    result = run(hostile, "plan", "--base", "main", "--format", "markdown")
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 to run" in result.stdout
    assert listing(hostile.top) == before
    assert not (hostile.top.parent / "canary").exists()


@pytest.mark.parametrize(
    "words",
    [("plan",), ("validate",), ("explain", "run.train"), ("plan", "--base", "main", "--with-state"), ("graph",)],
)
def test_no_other_look_at_it_runs_anything(words: tuple[str, ...], hostile: Repository) -> None:
    result = run(hostile, *words)
    told = [line for line in result.stderr.splitlines() if line.startswith("VIOLATION") and ".mlplan" not in line]
    assert set(told) <= {ITS_PORT}
    assert result.returncode in (0, 99), result.stderr  # 99: the cache of this machine is written
    assert not (hostile.top.parent / "canary").exists()


@pytest.mark.parametrize("command", [("mlplan",), (sys.executable, "-m", "mlplan")])
def test_the_program_itself_takes_no_module_from_the_project(command: tuple[str, ...], hostile: Repository) -> None:
    program = (os.path.join(os.path.dirname(sys.executable), "mlplan"),) if command == ("mlplan",) else command
    if len(program) > 1:  # what Python itself imports before mlplan begins is taken from where it runs
        for name in ("typing", "subprocess", "tempfile", "hashlib", "json"):
            (hostile.folder / f"{name}.py").unlink()
    result = run(hostile, "plan", "--base", "main", program=program)
    assert "--rate 0.5 -> 0.25" in result.stdout, result.stderr
    assert not (hostile.top.parent / "canary").exists()


# -- planted workspaces and caches ----------------------------------------------------------------------------------


def plant_caches(project: Path, old: Mapping[str, str]) -> None:
    """Writes the caches that mlplan would have for the old files, under the keys of the new ones."""
    folder = project / ".mlplan/cache"
    data = (project / "mlplan.yaml").read_bytes()
    aside = project.parent / "aside"
    for name, text in old.items():
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).write_text(text)
    manifest = load(str(aside / "mlplan.yaml"), environ={}).manifest
    assert manifest is not None
    cache.write(str(folder), cache.key_of(data, "", {}, []), manifest, [], [], {})
    meaning = python_meaning(old["code/reading.py"].encode())
    digest = sha256((project / "code/reading.py").read_bytes()).hexdigest()
    index = {
        "format": 1,
        "groups": {},
        "python": {digest: [meaning.digest, list(meaning.imports), False]},
        "values": {},
    }
    (folder / "files").mkdir(parents=True)
    (folder / "files/index.json").write_text(json.dumps(index))
    (folder / "files/small.bin").write_bytes(Table().encode())
    mirror = project / ".mlplan-cache"
    mirror.mkdir()
    (mirror / "index.json").write_text(json.dumps(index))


@pytest.fixture
def planted(tmp_path: Path) -> Repository:
    """A branch that changes argument and code, and brings caches along that say that nothing changed."""
    repository = project_on_main(tmp_path / "r", "digits")
    repository.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    repository.edit("code/reading.py", "return 1", "return 2")
    plant_caches(repository.folder, FILES)
    repository.git("add", "--force", "digits/.mlplan", "digits/.mlplan-cache")
    repository.commit("plant")
    return repository


def test_planted_caches_would_be_believed_if_they_were_this_machines_own(planted: Repository) -> None:
    """What the other tests guard against is there: without git, the same files hide the edit."""
    (planted.top / ".git").rename(planted.top / "git")
    change = next(c for c in planted.document()["resource_changes"] if c["address"] == "run.train")
    assert change["change"]["after"]["--rate"] == "0.5"
    meaning = python_meaning(FILES["code/reading.py"].encode()).digest
    assert change["fingerprint"]["after"]["code/reading.py"]["digest"] == meaning


def test_a_comparison_does_not_believe_planted_caches(planted: Repository) -> None:
    assert planted.plan()["run.train"].reasons == ["--rate 0.5 -> 0.25", "code/reading.py changed"]


def test_a_plan_refuses_a_workspace_that_git_tracks(planted: Repository) -> None:
    for words in (("plan",), ("apply", "-y"), ("explain", "run.train"), ("show",)):
        result = planted.mlplan(*words)
        assert (result.code, result.out) == (1, "")
        assert "error[MLP4306]: The workspace is committed" in result.err
        assert "git rm -r --cached .mlplan" in result.err


def test_a_checkout_of_another_user_is_not_believed_either(
    planted: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # without what this machine trusts
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true")
    for words in (("plan",), ("apply", "-y"), ("plan", "--base", "main")):
        result = planted.mlplan(*words)
        assert (result.code, result.out) == (1, "")
        assert "error[MLP5021]: Checkout belongs to another user" in result.err
        assert "git config --global --add safe.directory" in result.err


def test_validate_tells_it_and_does_not_believe_the_cache(planted: Repository) -> None:
    planted.edit("mlplan.yaml", "compute: here\n    source", "compute: hare\n    source")
    plant = planted.folder / ".mlplan/cache"
    for path in plant.glob("manifest-*"):
        path.unlink()
    (planted.folder / ".mlplan-cache/index.json").unlink()
    (planted.folder / ".mlplan-cache").rmdir()
    (plant / "files/index.json").unlink()
    (plant / "files/small.bin").unlink()
    (plant / "files").rmdir()
    plant_caches(planted.folder, FILES)
    result = planted.mlplan("validate")
    assert (result.code, "error[MLP3104]" in result.out) == (1, True)
    planted.edit("mlplan.yaml", "hare", "here")
    result = planted.mlplan("validate")
    assert (result.code, "error[MLP4306]" in result.out) == (1, True)


@pytest.mark.parametrize("how", ["folder", "link", "submodule", "linked working tree", "version 4", "split index"])
def test_a_tracked_workspace_is_noticed_however_it_is_tracked(how: str, tmp_path: Path) -> None:
    repository = project_on_main(tmp_path / "r", "" if how == "folder" else "digits")
    local = repository.folder / ".mlplan"
    if how == "link":
        (repository.folder / "evil/log").mkdir(parents=True)
        (repository.folder / "evil/log/1.json").write_text("{}")
        local.symlink_to("evil")
    elif how == "submodule":
        inner = Repository(local)
        inner.commit("inner")
    else:
        (local / "log").mkdir(parents=True)
        (local / "log/00000001.json").write_text("{}")
    if how == "version 4":
        repository.git("update-index", "--index-version", "4")
    if how == "split index":
        repository.git("update-index", "--split-index")
    repository.git("add", "--force", str(local))
    repository.commit("plant")
    if how == "linked working tree":
        repository.git("worktree", "add", "--quiet", "--force", "../other", "work")
        repository.top = tmp_path / "other"
    result = repository.mlplan("plan")
    assert (result.code, "MLP4306" in result.err) == (1, True)


def test_a_committed_folder_that_the_branch_names_as_workspace_is_refused(repository: Repository) -> None:
    repository.edit("mlplan.yaml", "project: pr", "project: pr\nworkspace: data/state")
    repository.write({"data/state/log/00000001.json": "{}"})
    repository.commit("plant")
    result = repository.mlplan("plan")
    assert (result.code, "git tracks files of the workspace: data/state/log." in result.err) == (1, True)


def test_names_that_only_look_alike_are_fine(repository: Repository) -> None:
    repository.write({".mlplanignore": "x\n", "code/.mlplan/a": "x", "mlplan.d/b": "x"})
    repository.git("add", "--force", ".")
    repository.commit()
    assert repository.mlplan("plan").code == 0


# -- trees that no git would write ----------------------------------------------------------------------------------


def tree_object(repository: Repository, entries: list[tuple[str, str, str]]) -> str:
    raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(digest) for mode, name, digest in entries)
    return repository.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=raw)


def blob(repository: Repository, text: str) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=text.encode())


@pytest.fixture
def forged(repository: Repository) -> Repository:
    repository.git("config", "core.protectNTFS", "false")
    return repository


def commit_data(repository: Repository, entries: list[tuple[str, str, str]]) -> None:
    """A commit of `work` whose folder `data` is a tree that git would never make."""
    data = tree_object(repository, entries)
    lines = [line.split("\t") for line in repository.git("ls-tree", "main").splitlines()]
    kept = [(facts.split(" ")[0].lstrip("0"), name, facts.split(" ")[2]) for facts, name in lines if name != "data"]
    root = tree_object(repository, sorted([*kept, ("40000", "data", data)], key=lambda e: e[1]))
    commit = repository.git("commit-tree", root, "-p", "main", "-m", "forged")
    repository.git("update-ref", "refs/heads/work", commit)


def test_a_path_that_climbs_out_is_not_written(forged: Repository, tmp_path: Path) -> None:
    up = tree_object(forged, [("100644", "climbed.txt", blob(forged, "x"))])
    for _ in range(6):
        up = tree_object(forged, [("40000", "..", up)])
    inner = tree_object(forged, [("100644", "config", blob(forged, "x"))])
    commit_data(
        forged, [("40000", "..", up), ("40000", ".git", inner), ("100644", "a.txt", blob(forged, "1\n2\n")),
                 ("100644", "b.txt", blob(forged, "3\n"))]
    )  # fmt: skip
    assert forged.plan() == {}
    assert not any(Path(folder, "climbed.txt").exists() for folder in ("/", "/tmp", str(tmp_path), str(forged.top)))


def test_a_file_is_not_written_through_a_link(forged: Repository, tmp_path: Path) -> None:
    inside = tree_object(forged, [("100644", "planted.txt", blob(forged, "x"))])
    commit_data(forged, [("120000", "a", blob(forged, str(tmp_path))), ("40000", "a", inside)])
    result = forged.mlplan("plan", "--base", "main")
    assert result.code in (0, 1)
    assert not (tmp_path / "planted.txt").exists()


def test_links_that_together_lead_out_are_not_followed(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("1")
    deep = repository.folder / "data/one/two"
    deep.mkdir(parents=True)
    os.symlink("../..", deep / "up")
    os.symlink("one/two/up/../../../../../../../../../../.." + str(tmp_path), repository.folder / "data/out")
    os.symlink("one/two/up/../../b.txt", repository.folder / "data/near.txt")
    repository.commit("links")
    result = repository.mlplan("plan", "--base", "main")
    assert "secret" not in result.out + result.err


@pytest.mark.parametrize("name", ["x" * 300, "new\nline", "bad\udcff", "-rf", "con\x1b[31m"])
def test_strange_names_are_no_bug(name: str, forged: Repository) -> None:
    raw = name.encode("utf-8", "surrogateescape")
    digest = bytes.fromhex(blob(forged, "x"))
    data = forged.git(
        "hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=b"100644 " + raw + b"\0" + digest
    )
    lines = [line.split("\t") for line in forged.git("ls-tree", "main").splitlines()]
    kept = [
        (facts.split(" ")[0].lstrip("0"), called, facts.split(" ")[2]) for facts, called in lines if called != "data"
    ]
    root = tree_object(forged, sorted([*kept, ("40000", "data", data)], key=lambda e: e[1]))
    forged.git("update-ref", "refs/heads/work", forged.git("commit-tree", root, "-p", "main", "-m", "forged"))
    result = forged.mlplan("plan", "--base", "main")
    assert result.code in (0, 1)
    assert "\x1b[31m" not in result.out + result.err


def test_an_author_cannot_steer_a_terminal(repository: Repository) -> None:
    repository.edit("mlplan.yaml", "default: 0.5", "default: 0.25")
    repository.commit("why\x1b]0;owned\x07not", author="Eve\x1b[31m <eve@example.org>")
    result = repository.mlplan("explain", "run.train")
    assert (result.code, "\x1b" in result.out) == (0, False)


def test_a_manifest_that_nothing_was_planted_for_still_is_kept(repository: Repository) -> None:
    assert repository.mlplan("plan").code == 0
    assert list((repository.folder / ".mlplan/cache").glob("manifest-*.json"))
    assert MANIFEST in (repository.folder / "mlplan.yaml").read_text()
