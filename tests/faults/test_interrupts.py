"""Ctrl-C once ends what runs, in order, and is recorded; a second one stops at once. And an apply that is killed or
replaced while something still runs."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from this_machine import listens, wait_until

from .project import PATIENCE_S, SCORE, TRAIN, Project

FAULTS = "interrupted, replaced, outlived"
WAITING = """
import pathlib, time
print("waiting", flush=True)
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.02)
print("going on", flush=True)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
words = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
subprocess.Popen(words, start_new_session=True)
print("waiting", flush=True)
time.sleep(600)
"""
ORPHAN = """
import subprocess, sys
words = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL)
"""


class Told:
    """What a command in the background has said so far on stderr."""

    def __init__(self, command: subprocess.Popen[str]) -> None:
        self.command = command
        self.text = ""

    def until(self, words: str) -> None:
        """Reads on until these words are said."""
        assert self.command.stderr is not None
        while words not in self.text:
            line = self.command.stderr.readline()
            assert line, f"ended without saying {words!r}:\n{self.text}"
            self.text += line

    def end(self) -> int:
        """Its exit code; all it says until then is read."""
        self.text += self.command.communicate(timeout=PATIENCE_S)[1]
        assert "MLP9001" not in self.text, self.text
        return self.command.returncode


@pytest.fixture
def gate(project: Project) -> Path:
    """A training that goes on once this file is there."""
    gate = project.root / "gate"
    project.write(train=WAITING.format(gate=str(gate)) + TRAIN)
    return gate


def apply(project: Project, *words: str) -> Told:
    return Told(project.start("apply", "-y", *words))


def test_ctrl_c_ends_what_runs_and_records_it(project: Project, gate: Path) -> None:
    told = apply(project)
    told.until("waiting")
    told.command.send_signal(signal.SIGINT)
    assert told.end() == 130
    assert "MLP7022" in told.text
    assert "mlplan apply" in told.text
    assert project.processes() == []
    outcome = project.outcome()
    assert (outcome["intents"], outcome["lease"]) == (0, False)
    assert "canceled" in project.mlplan("run", "list", code=0).out.lower()
    gate.touch()
    project.apply()
    assert project.finished() == ["train 0.1"]
    project.in_step()


def test_ctrl_c_ends_a_script_that_ignores_it_and_a_child_in_a_session_of_its_own(project: Project) -> None:
    project.write(train=STUBBORN)
    told = apply(project)
    told.until("waiting")
    assert len(project.processes()) == 4  # the apply, the supervisor, the script, its child
    told.command.send_signal(signal.SIGINT)
    assert told.end() == 130
    assert project.processes() == []


def test_a_child_that_outlives_its_script_is_ended_with_it(project: Project) -> None:
    project.write(train=ORPHAN + TRAIN)
    project.apply()
    project.assert_one_service()
    assert project.finished() == ["train 0.1"]


def test_sigterm_is_as_good_as_ctrl_c(project: Project, gate: Path) -> None:
    told = apply(project)
    told.until("waiting")
    told.command.terminate()
    assert told.end() == 130
    assert project.processes() == []


def test_a_second_ctrl_c_stops_at_once_and_the_next_apply_goes_on(project: Project) -> None:
    gate = project.root / "gate"
    ignore = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    project.write(train=ignore + WAITING.format(gate=str(gate)) + TRAIN)
    told = apply(project)
    told.until("waiting")
    told.command.send_signal(signal.SIGINT)
    told.until("Ctrl-C again")
    told.command.send_signal(signal.SIGINT)
    assert told.end() == 130
    assert "the next apply finds it" in told.text
    gate.touch()
    project.apply()
    project.in_step()
    project.assert_one_service()
    assert project.finished() == ["train 0.1"]


def test_ctrl_c_leaves_the_line_for_the_lease(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    second = apply(project, "--lock-timeout", "10m")
    second.until("Waiting for")
    second.command.send_signal(signal.SIGINT)
    assert second.end() == 130
    gate.touch()
    assert first.end() == 0
    assert project.finished() == ["train 0.1"]


def test_ctrl_c_while_a_service_starts_leaves_the_old_one_serving(project: Project) -> None:
    project.apply()
    loading = "global text\n    print('loading'); import time; time.sleep(600)"
    project.write(score=SCORE.replace("global text", loading))
    told = apply(project)
    told.until("loading")
    told.command.send_signal(signal.SIGINT)
    assert told.end() == 130
    project.assert_one_service()
    assert project.answer() == ["a,b", "1,2", "0.1"]
    assert project.outcome()["intents"] == 0
    project.write()
    project.apply()
    project.in_step()


def test_killed_again_and_again_a_training_goes_on_and_is_attached_to(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    jobs = {process.pid for process in project.processes()} - {first.command.pid}
    first.command.kill()
    first.end()
    for _ in range(3):
        again = apply(project)
        again.until("waiting")  # its output so far, and then
        again.command.kill()
        again.end()
    assert {process.pid for process in project.processes()} == jobs
    last = apply(project)
    last.until("waiting")
    gate.touch()
    last.until("going on")
    assert last.end() == 0
    assert project.finished() == ["train 0.1"]
    assert len(project.outcome()["completed"]["run.train"]) == 1
    project.in_step()


def test_a_training_that_ended_meanwhile_is_collected(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    first.command.kill()
    first.end()
    gate.touch()
    wait_until(lambda: project.processes() == [])
    project.apply()
    assert project.finished() == ["train 0.1"]
    project.in_step()


def test_a_training_that_nobody_wants_any_more_is_ended(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    first.command.kill()
    first.end()
    project.write(rate="0.2")
    project.apply()
    assert project.finished() == ["train 0.2"]
    project.assert_one_service()
    project.in_step()


def test_a_training_that_this_apply_leaves_out_goes_on(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    first.command.kill()
    first.end()
    jobs = project.processes()
    assert len(jobs) == 2  # the supervisor and the script
    project.mlplan("apply", "-y", "--only", "dataset.table", code=0)
    project.mlplan("apply", "-y", "--exclude", "run.train", code=0)
    project.mlplan("destroy", "-y", "--only", "dataset.table", code=0)
    assert project.processes() == jobs
    gate.touch()
    project.apply()
    assert project.finished() == ["train 0.1"]
    project.in_step()


def test_a_supervisor_that_is_killed_fails_the_run_and_leaves_nothing(project: Project, gate: Path) -> None:
    told = apply(project)
    told.until("waiting")
    (supervisor,) = [p for p in project.processes() if "supervise" in " ".join(p.cmdline())]
    supervisor.kill()
    assert told.end() == 4
    assert "its supervisor is gone" in told.text
    assert project.processes() == []
    gate.touch()
    project.apply()
    project.in_step()


def test_a_holder_whose_lease_was_broken_leaves_the_training_to_the_next(project: Project, gate: Path) -> None:
    """Frozen, broken, attached to by another one and woken: the first one stops, and the training goes on."""
    first = apply(project)
    first.until("waiting")
    first.command.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(first.command.pid).status() == psutil.STATUS_STOPPED)
    try:
        project.mlplan("unlock", "-y", code=0)
        second = apply(project)
        second.until("begun by an earlier apply")
        jobs = {process.pid for process in project.processes()} - {first.command.pid, second.command.pid}
        first.command.send_signal(signal.SIGCONT)
        first.command.send_signal(signal.SIGINT)  # and even so it must not end what isn't its own any more
        assert first.end() == 6
        assert "MLP4102" in first.text
        assert {process.pid for process in project.processes()} - {second.command.pid} == jobs
        gate.touch()
        assert second.end() == 0
    finally:
        first.command.kill()
    assert project.finished() == ["train 0.1"]
    project.in_step()


def test_a_busy_workspace_names_its_holder(project: Project, gate: Path) -> None:
    first = apply(project)
    first.until("waiting")
    busy = project.mlplan("apply", "-y", code=6)
    assert "MLP4101" in busy.err
    assert f"pid {first.command.pid}" in busy.err
    project.mlplan("plan", "--detailed-exitcode", code=2)  # reading is open to all
    gate.touch()
    assert first.end() == 0


def test_a_service_that_never_starts_leaves_nothing_behind(project: Project) -> None:
    project.write(score="raise RuntimeError('broken')\n")
    ended = project.apply(code=4)
    assert "RuntimeError: broken" in ended.err
    assert project.processes() == []
    assert not listens(project.port)
