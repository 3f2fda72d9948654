"""The laws of `mlplan.targets.protocols.Jobs`, for every target."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from on_targets import silent

from mlplan.errors import Refusal
from mlplan.targets.protocols import JobSpec, Resources, Target

from .conftest import OPEN, Gate

MakeJob = Callable[..., JobSpec]


def finish(target: Target, spec: JobSpec) -> list[str]:
    """Runs a job to its end; its output."""
    target.jobs.submit(spec, silent)
    return list(target.jobs.logs(spec.key, follow=True))


def test_every_target_is_tried() -> None:
    from mlplan.targets.registry import TARGETS

    assert sorted(OPEN) == sorted(TARGETS)


def test_a_job_runs_to_its_end_and_its_results_are_collected(target: Target, job: MakeJob) -> None:
    script = """
import os
os.makedirs("outputs/deep")
open("outputs/deep/model.txt", "w").write("weights")
open("logs/own.txt", "w").write("mine")
print("trained")
"""
    spec = job(script)

    assert target.jobs.check(spec) == []
    assert finish(target, spec) == ["trained"]
    seen = target.jobs.observe(spec.key)
    assert (seen.state, seen.exit_code, seen.timed_out, seen.canceled) == ("Ended", 0, False, False)
    assert seen.started.startswith("20")
    assert seen.duration_s > 0
    assert seen.peak_memory_bytes > 1_000_000
    collected = target.jobs.collect(spec.key)
    assert Path(collected.outputs, "deep", "model.txt").read_text() == "weights"
    assert Path(collected.logs, "own.txt").read_text() == "mine"
    assert Path(collected.logs, "std_log.txt").read_text() == "trained\n"


PRINTS = """
import base64, os, sys
token = os.environ["TOKEN"]
print("whole", token, flush=True)
os.write(1, b"in two " + token[:7].encode())
os.write(1, token[7:].encode() + b"\\n")
os.write(1, base64.b64encode(token.encode()) + b"\\n")
sys.exit(token)
"""


def test_what_is_secret_is_masked_in_its_output(target: Target, job: MakeJob) -> None:
    secret = "a canary / of 20+ signs"
    spec = job(PRINTS, env={"TOKEN": secret}, secrets=(secret,))

    assert finish(target, spec) == ["whole ***", "in two ***", "***", "***"]
    assert target.jobs.observe(spec.key).exit_code == 1
    log = Path(target.jobs.collect(spec.key).logs, "std_log.txt").read_text()
    assert log == "whole ***\nin two ***\n***\n***\n"


def test_masked_output_is_streamed_while_it_is_written(target: Target, job: MakeJob, gate: Gate) -> None:
    script = "print('one')\n" + Gate.WAIT + "print('two', end='')"
    spec = job(script, argv=("python", "train.py", "@gate@"), mounts=(gate.mount,), secrets=("two-twins",))
    target.jobs.submit(spec, silent)

    lines = target.jobs.logs("key-1", follow=True)
    assert next(lines) == "one"
    gate.open()
    assert list(lines) == ["two"]


def test_a_job_with_secrets_is_ended_in_time_with_all_it_printed(target: Target, job: MakeJob) -> None:
    script = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked " * 30000))
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("begun", flush=True)
time.sleep(600)
"""
    spec = job(script, timeout_s=1.0, secrets=("canary",))

    assert finish(target, spec) == ["begun", "asked " * 30000]
    assert target.jobs.observe(spec.key).timed_out


def test_a_failing_job_tells_its_exit_code_and_its_last_words(target: Target, job: MakeJob) -> None:
    spec = job("import sys\nprint('so far', flush=True)\nsys.exit('no data')")

    assert finish(target, spec) == ["so far", "no data"]
    assert target.jobs.observe(spec.key).exit_code == 1


def test_the_same_key_is_submitted_once(target: Target, job: MakeJob) -> None:
    finish(target, job("print('first')"))
    before = target.jobs.observe("key-1")

    finish(target, job("print('second')"))

    assert list(target.jobs.logs("key-1", follow=False)) == ["first"]
    assert target.jobs.observe("key-1") == before
    assert target.jobs.keys() == ["key-1"]


def test_of_two_submits_at_once_one_wins(open_again: Callable[[], Target], target: Target, job: MakeJob) -> None:
    spec = job("print('ran')")
    both = [threading.Thread(target=finish, args=(open_again(), spec)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert target.jobs.keys() == ["key-1"]
    assert list(target.jobs.logs("key-1", follow=True)) == ["ran"]


def test_another_process_finds_a_running_job(
    open_again: Callable[[], Target], target: Target, job: MakeJob, gate: Gate
) -> None:
    spec = job(Gate.WAIT + "print('done')", argv=("python", "train.py", "@gate@"), mounts=(gate.mount,))
    target.jobs.submit(spec, silent)
    later = open_again()

    seen = later.jobs.observe("key-1")
    assert (seen.state, seen.exit_code) == ("Running", None)
    assert later.jobs.keys() == ["key-1"]
    gate.open()
    assert list(later.jobs.logs("key-1", follow=True)) == ["done"]
    assert later.jobs.observe("key-1").exit_code == 0


def test_output_is_streamed_while_it_is_written(target: Target, job: MakeJob, gate: Gate) -> None:
    script = "print('one')\n" + Gate.WAIT + "print('two', end='')"
    spec = job(script, argv=("python", "train.py", "@gate@"), mounts=(gate.mount,))
    target.jobs.submit(spec, silent)

    lines = target.jobs.logs("key-1", follow=True)
    assert next(lines) == "one"
    assert target.jobs.observe("key-1").state == "Running"
    assert list(target.jobs.logs("key-1", follow=False)) == ["one"]
    gate.open()
    assert list(lines) == ["two"]


def test_a_job_gets_its_own_variables_and_few_of_the_callers(
    target: Target, job: MakeJob, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRAY", "1")
    script = "import os, sys\nprint(os.environ.get('STRAY'), os.environ['ASKED'], 'PATH' in os.environ, sys.argv[1:])"
    spec = job(
        script,
        argv=("python", "train.py", "--folder=@gate@/a"),
        env={"ASKED": "for @gate@"},
        mounts=(gate.mount._replace(source="/", placeholder="@unused@"), gate.mount),
    )

    (line,) = finish(target, spec)
    words = line.split()
    assert (words[0], words[1], words[3]) == ("None", "for", "True")
    assert "@gate@" not in line
    assert words[4] == f"['--folder={words[2]}/a']"


def test_cores_limit_the_threads_of_numeric_libraries(target: Target, job: MakeJob) -> None:
    script = "import os\nprint(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"

    assert finish(target, job(script, resources=Resources(cpu=1.5), env={"MKL_NUM_THREADS": "7"})) == ["2 7"]


def test_what_lies_in_the_outputs_of_the_source_is_no_output(target: Target, job: MakeJob) -> None:
    spec = job("import os\nprint(sorted(os.listdir('.')), os.listdir('outputs'))")
    (Path(spec.code) / "outputs").mkdir()
    (Path(spec.code) / "outputs" / "stale.pkl").touch()
    (Path(spec.code) / "package").mkdir()

    assert finish(target, spec) == ["['logs', 'outputs', 'package', 'train.py'] []"]


def test_the_code_that_was_submitted_stays_as_it_was(target: Target, job: MakeJob) -> None:
    spec = job("open('train.py', 'w').write('overwritten')\nopen('new.py', 'w').close()")
    source = Path(spec.code) / "train.py"
    source.chmod(0o444)

    finish(target, spec)

    assert target.jobs.observe("key-1").exit_code == 0
    assert "overwritten" in source.read_text()
    assert source.read_text() != "overwritten"
    assert sorted(p.name for p in Path(spec.code).iterdir()) == ["train.py"]


def test_a_timeout_ends_the_job(target: Target, job: MakeJob) -> None:
    spec = job("import time\nprint('begun', flush=True)\ntime.sleep(600)", timeout_s=0.5)

    assert finish(target, spec) == ["begun"]
    seen = target.jobs.observe("key-1")
    assert (seen.state, seen.exit_code, seen.timed_out, seen.canceled) == ("Ended", -15, True, False)


def test_a_timeout_of_centuries_never_comes(target: Target, job: MakeJob) -> None:
    spec = job("print('done')", timeout_s=9_999_999 * 3600.0)

    assert finish(target, spec) == ["done"]
    seen = target.jobs.observe("key-1")
    assert (seen.exit_code, seen.timed_out) == (0, False)


def test_cancel_lets_the_script_end_in_order(target: Target, job: MakeJob) -> None:
    script = """
import signal, sys, time
def end(*_):
    open("outputs/checkpoint", "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""
    target.jobs.submit(job(script), silent)
    next(target.jobs.logs("key-1", follow=True))

    target.jobs.cancel("key-1", grace_s=30)

    seen = target.jobs.observe("key-1")
    assert (seen.state, seen.canceled) == ("Ended", True)
    assert Path(target.jobs.collect("key-1").outputs, "checkpoint").read_text() == "saved"


def test_cancel_forces_a_script_that_will_not_end(target: Target, job: MakeJob) -> None:
    script = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
    target.jobs.submit(job(script), silent)
    next(target.jobs.logs("key-1", follow=True))

    target.jobs.cancel("key-1", grace_s=0.2)

    seen = target.jobs.observe("key-1")
    assert (seen.state, seen.canceled, seen.exit_code) == ("Ended", True, -9)


def test_cancel_of_an_ended_job_changes_nothing(target: Target, job: MakeJob) -> None:
    finish(target, job("pass"))
    before = target.jobs.observe("key-1")

    target.jobs.cancel("key-1", grace_s=0)

    assert target.jobs.observe("key-1") == before


def test_more_memory_than_asked_for_ends_the_job_and_is_named(target: Target, job: MakeJob) -> None:
    script = "data = bytearray(400 << 20)\nimport time\ntime.sleep(600)"

    finish(target, job(script, resources=Resources(memory_bytes=200 << 20)))

    seen = target.jobs.observe("key-1")
    assert (seen.state, seen.out_of_memory, seen.timed_out, seen.canceled) == ("Ended", True, False, False)


def test_an_unknown_key_is_absent_and_harmless(target: Target) -> None:
    assert target.jobs.observe("nobody").state == "Absent"
    assert list(target.jobs.logs("nobody", follow=True)) == []
    assert target.jobs.keys() == []
    target.jobs.cancel("nobody", grace_s=0)
    target.jobs.remove("nobody")
    with pytest.raises(Refusal, match="MLP8005"):
        target.jobs.collect("nobody")


def test_remove_forgets_a_job(target: Target, job: MakeJob) -> None:
    finish(target, job("pass"))

    target.jobs.remove("key-1")

    assert target.jobs.observe("key-1").state == "Absent"
    assert target.jobs.keys() == []
    assert finish(target, job("print('again')")) == ["again"]


def test_a_job_that_cannot_be_started_leaves_nothing(target: Target, job: MakeJob) -> None:
    spec = job("pass", argv=("no-such-program-anywhere",))

    with pytest.raises(Refusal, match="no-such-program-anywhere"):
        target.jobs.submit(spec, silent)

    assert target.jobs.observe("key-1").state == "Absent"
    assert target.jobs.keys() == []
    assert finish(target, job("print('works')")) == ["works"]


def test_a_program_relative_to_the_code_is_found(target: Target, job: MakeJob) -> None:
    spec = job("", argv=("./run.sh", "there"))
    program = Path(spec.code) / "run.sh"
    program.write_text("#!/bin/sh\necho hello $1 from $(basename $PWD)\n")
    program.chmod(0o755)

    assert finish(target, spec)[0].startswith("hello there")


def test_two_jobs_go_side_by_side(target: Target, job: MakeJob, gate: Gate) -> None:
    waiting = {"argv": ("python", "train.py", "@gate@"), "mounts": (gate.mount,)}
    target.jobs.submit(job(Gate.WAIT + "print('a')", key="key-a", **waiting), silent)
    target.jobs.submit(job(Gate.WAIT + "print('b')", key="key-b", **waiting), silent)

    assert [target.jobs.observe(key).state for key in ("key-a", "key-b")] == ["Running", "Running"]
    gate.open()
    assert list(target.jobs.logs("key-a", follow=True)) == ["a"]
    assert list(target.jobs.logs("key-b", follow=True)) == ["b"]
    assert sorted(target.jobs.keys()) == ["key-a", "key-b"]
