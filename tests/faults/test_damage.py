"""The log and every other file of a workspace cut at every byte; a bit turned in each byte of each artifact.

The log is refused, with what to do about it. All else is either made anew or refused as well: nothing is lost,
nothing is believed that isn't what was written, and no command ends with a traceback.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from this_machine import wait_until

from mlplan.cli.main import main
from mlplan.errors import Refusal
from mlplan.state.kept import kept_trees
from mlplan.targets.local.target import open as open_target
from mlplan.workspace.open import Workspace, open_workspace
from mlplan.workspace.views import remove_all

from .conftest import Tally
from .project import SCORE, Project

FAULTS = "files cut, artifacts damaged"


def workspace(project: Project) -> Workspace:
    return open_workspace(str(project.root), ".mlplan", "faults")


def files(project: Project, *folders: str) -> list[Path]:
    """The files of the workspace below these names."""
    places = [project.workspace / folder for folder in folders]
    found = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return sorted(path for path in found if path.is_file() and path.stat().st_size)


@contextmanager
def spoilt(path: Path) -> Iterator[bytes]:
    """A file that may be written to; afterwards it is again as it was, whatever happened to it."""
    content, status = path.read_bytes(), path.stat()
    path.chmod(0o644)
    try:
        yield content
    finally:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(status.st_mode)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def plan(project: Project) -> int:
    """Plans in this process. Whatever it finds, it finds words for it."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        code = main(["-C", str(project.root), "plan", "--detailed-exitcode"])
    assert code in (0, 1, 2, 5), said.getvalue()
    assert code != 1 or "error[MLP" in said.getvalue(), said.getvalue()
    return code


def test_a_log_cut_at_any_byte_is_refused(project: Project, tally: Tally) -> None:
    project.apply()
    points = 0
    for path in files(project, "log"):
        with spoilt(path) as content:
            for length in range(len(content)):
                path.write_bytes(content[:length])
                with pytest.raises(Refusal) as refused:
                    list(workspace(project).log.commits(since=int(path.stem)))
                (diagnostic,) = refused.value.diagnostics
                assert diagnostic.code == "MLP4001", f"{path.name} cut to {length}: {diagnostic}"
                assert path.name in diagnostic.detail
                assert diagnostic.hint
                points += 1
            assert "MLP4001" in project.mlplan("history", code=1).err
            path.unlink()
            assert "MLP4002" in project.mlplan("history", code=1).err
    project.in_step()
    tally("the log cut at a byte", points, points)


LOOKS: dict[str, Callable[[Project], object]] = {
    "checkpoint.json": lambda project: workspace(project).log.read().serial or pytest.fail("nothing was read"),
    "cache": plan,
    "services": lambda project: open_target(str(project.workspace), "faults", {}).services.observe("svc"),
    "views": lambda project: [workspace(project).artifacts.view(view.name) for view in views(project)],
}
"""Who reads the files below these names. The scoring runtime's own code has a test of its own."""


@pytest.mark.parametrize("name", LOOKS)
def test_any_other_file_cut_at_any_byte_loses_nothing(name: str, project: Project, tally: Tally) -> None:
    """At every byte somebody reads it; with half of each, one after the other, an apply has to put it right."""
    project.apply()
    before, state = project.outcome(), workspace(project).log.read()
    others = [path for path in files(project, name) if "runtime" not in path.parts]
    points = 0
    for path in others:
        with spoilt(path) as content:
            for length in range(len(content)):
                cut(path, content, length)
                if not path.name.startswith("manifest-"):  # checked by its digest, and slow to be made anew
                    LOOKS[name](project)
                points += 1
            assert workspace(project).log.read() == state
    for path in others:
        if path.exists():
            content = path.read_bytes()
            cut(path, content, len(content) // 2)
            project.apply()
            project.in_step()
    project.assert_as_before(before)
    tally("another file cut at a byte", points, points)


CUTS = (0, 1, 3, 2, -1)
"""Where a file of the runtime is cut: to nothing, one byte, a third, a half, all but one byte."""


def length_at(cut: int, whole: int) -> int:
    """How long a file is after such a cut."""
    return (whole // cut if cut > 1 else cut) if cut >= 0 else whole + cut


def test_a_runtime_cut_at_a_byte_is_noticed_and_made_anew(project: Project, tally: Tally) -> None:
    """The copy that a service runs: what serves goes on from memory, and nothing is started from damaged code."""
    project.apply()
    before = project.outcome()
    services = open_target(str(project.workspace), "faults", {}).services
    runtime = [path for path in files(project, "services") if "runtime" in path.parts]
    assert len(runtime) > 30
    points = 0
    for path in runtime:
        with spoilt(path) as content:
            for where in CUTS:
                cut(path, content, length_at(where, len(content)))
                altered = services.observe("svc").detail.get("altered")
                assert altered == ["runtime" + str(path).partition("/runtime")[2]], f"{path} cut at {where}"
                points += 1
        assert "altered" not in services.observe("svc").detail, path
    for name in ["runtime" + str(path).partition("/runtime")[2] for path in runtime[::8]]:
        (generation,) = (project.workspace / "services/svc").iterdir()
        path = generation / name
        cut(path, content := path.read_bytes(), len(content) // 2)
        for process in project.processes():
            process.kill()
        wait_until(lambda: not project.processes())
        assert plan(project) == 5
        project.apply()
        assert not path.exists() or path.read_bytes() == content
        project.in_step()
        project.assert_one_service()
        assert project.answer() == ["a,b", "1,2", "0.1"]
        points += 1
    assert project.finished() == ["train 0.1"]
    assert project.outcome() == before
    tally("the scoring runtime's code cut at a byte", points, points)


def test_a_service_whose_list_of_files_is_lost_is_made_anew(project: Project) -> None:
    """Without it, nobody could tell whether its code and its model are whole."""
    project.apply()
    (listed,) = (path for path in files(project, "services") if path.name == "files.json")
    for length in (0, listed.stat().st_size // 2):
        cut(listed, listed.read_bytes(), length)
        assert plan(project) == 5
    project.apply()
    project.in_step()
    project.assert_one_service()


def test_damaged_keys_are_not_replaced_silently(project: Project) -> None:
    """A running service goes on with those that it knows; to start one anew is refused, with the ways out."""
    project.apply()
    (keys,) = files(project, "service-keys")
    whole = keys.read_bytes()
    for length in range(len(whole)):
        keys.write_bytes(whole[:length])
        assert plan(project) == 0
    assert "MLP7037" in project.mlplan("service", "keys", "show", "svc", code=1).err
    project.write(score=SCORE.replace("return", "return []  #"))
    refused = project.apply(code=4)
    assert "MLP7037" in refused.err
    assert keys.name in refused.err
    keys.unlink()
    project.apply()
    assert project.answer() == []


def views(project: Project) -> list[Path]:
    """The folders of what is handed out."""
    return [path for path in (project.workspace / "views").iterdir() if path.is_dir()]


def cut(path: Path, content: bytes, length: int) -> None:
    """Leaves the first bytes of a file, also where it was made anew meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    path.unlink(missing_ok=True)
    path.write_bytes(content[:length])


def test_no_bit_turned_in_an_artifact_is_handed_out(project: Project, tmp_path: Path, tally: Tally) -> None:
    """Trees are handed out as they were kept, or not at all."""
    project.apply()
    trees = [d for d in kept_trees(workspace(project).log.read()) if not check_out(project, d, tmp_path / "out")]
    points = 0
    for path in files(project, "artifacts", "packs"):
        with spoilt(path) as content:
            for place in range(len(content)):
                turned = bytearray(content)
                turned[place] ^= 1 << (place % 8)
                path.write_bytes(turned)
                said = [check_out(project, digest, tmp_path / "out") for digest in trees]
                assert "MLP4202" in said, f"{path}: nobody noticed a bit in byte {place}"
                assert set(said) <= {"", "MLP4202"}, said
                points += 1
    tally("a bit turned in an artifact", points, points)


def check_out(project: Project, digest: str, folder: Path) -> str:
    """What a new process says when it hands out a tree: a code, or "" where that is whole."""
    try:
        workspace(project).artifacts.check_out(digest, str(folder))
    except Refusal as refusal:
        return refusal.diagnostics[0].code
    return ""


def test_a_damaged_artifact_is_refused_by_name_and_made_anew_once_removed(project: Project, tally: Tally) -> None:
    """What the code's page tells to do: remove the named file, plan and apply."""
    project.apply()
    points, refused = 0, 0
    for path in files(project, "artifacts", "packs"):
        points += 1
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o644)
        path.write_bytes(content)
        forget_views(project)
        project.write(rate=f"0.{points:02}")
        ended = project.apply(code=None)
        if ended.code:
            refused += 1
            assert "MLP4202" in ended.err, ended
            assert path.name in "".join(ended.err.split()), ended
        if plan(project):
            path.unlink()
            project.apply()
        project.in_step()
        assert project.answer() == ["a,b", "1,2", f"0.{points:02}"]
        assert project.finished()[-1] == f"train 0.{points:02}"
        assert len(project.finished()) == points + 1
    assert refused
    tally("an apply over a damaged artifact", points, points)


def forget_views(project: Project) -> None:
    """Has all that is handed out read from the artifacts again."""
    for view in (project.workspace / "views").iterdir():
        remove_all(str(view))
