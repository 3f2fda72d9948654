"""What can go wrong with jobs on this machine: killed, frozen, lost. The laws of all targets: `tests/contract/`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from on_targets import silent
from this_machine import wait_until

from mlplan.errors import Refusal
from mlplan.machine import files, processes
from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.protocols import JobSpec, Resources

MakeJob = Callable[..., JobSpec]


def folder_of(jobs: LocalJobs) -> Path:
    (folder,) = (path for path in Path(jobs._runs).iterdir() if not path.name.startswith("."))
    return folder


def recorded(jobs: LocalJobs, file: str) -> dict[str, object]:
    return files.read_json(str(folder_of(jobs) / file)) or {}


def supervisor_of(jobs: LocalJobs) -> processes.Identity:
    identity = processes.read_identity(recorded(jobs, "supervisor.json"))
    assert identity is not None
    return identity


def script_of(jobs: LocalJobs) -> processes.Identity:
    identity = processes.read_identity(recorded(jobs, "running.json")["script"])
    assert identity is not None
    return identity


def first_line(jobs: LocalJobs) -> str:
    return next(jobs.logs("key-1", follow=True))


def submitting(jobs: LocalJobs, spec: JobSpec) -> str:
    """A program that submits this job."""
    return f"""
from mlplan.targets.local.jobs import LocalJobs
from mlplan.targets.protocols import JobSpec, Resources
LocalJobs({jobs._runs!r}).submit({spec!r}, lambda stage, detail: None)
"""


SLEEPS = "import time\nprint('ready', flush=True)\ntime.sleep(600)"


def test_a_killed_supervisor_is_told_and_its_script_cleared(jobs: LocalJobs, job: MakeJob) -> None:
    child = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
    jobs.submit(job(child + SLEEPS), silent)
    sleeper = processes.identify(int(first_line(jobs)))
    script = script_of(jobs)
    assert sleeper is not None

    os.kill(supervisor_of(jobs).pid, signal.SIGKILL)

    wait_until(lambda: jobs.observe("key-1").state == "Ended")
    seen = jobs.observe("key-1")
    assert (seen.exit_code, seen.canceled, seen.started != "") == (None, False, True)
    assert processes.is_alive(script)  # only seen, nothing done
    jobs.cancel("key-1", grace_s=5)
    assert not processes.is_alive(script)
    assert not processes.is_alive(sleeper)
    seen = jobs.observe("key-1")
    assert (seen.state, seen.exit_code, seen.canceled) == ("Ended", None, True)


def test_collecting_what_a_killed_supervisor_left_ends_its_script_first(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job(SLEEPS), silent)
    first_line(jobs)
    script = script_of(jobs)
    os.kill(supervisor_of(jobs).pid, signal.SIGKILL)
    wait_until(lambda: jobs.observe("key-1").state == "Ended")

    jobs.collect("key-1")

    assert not processes.is_alive(script)
    seen = jobs.observe("key-1")
    assert (seen.state, seen.exit_code, seen.canceled) == ("Ended", None, False)


def test_the_orphan_of_a_killed_supervisor_is_found_when_the_script_is_gone_as_well(
    jobs: LocalJobs, job: MakeJob
) -> None:
    child = "import subprocess\nprint(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
    jobs.submit(job(child + SLEEPS), silent)
    sleeper = processes.identify(int(first_line(jobs)))
    assert sleeper is not None

    os.kill(supervisor_of(jobs).pid, signal.SIGKILL)
    os.kill(script_of(jobs).pid, signal.SIGKILL)
    wait_until(lambda: jobs.observe("key-1").state == "Ended")
    jobs.remove("key-1")

    assert not processes.is_alive(sleeper)
    assert jobs.observe("key-1").state == "Absent"


def test_a_frozen_supervisor_does_not_stop_a_cancel(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job(SLEEPS), silent)
    first_line(jobs)
    supervisor, script = supervisor_of(jobs), script_of(jobs)
    os.kill(supervisor.pid, signal.SIGSTOP)
    os.kill(script.pid, signal.SIGSTOP)

    jobs.cancel("key-1", grace_s=0.1)

    assert not processes.is_alive(supervisor)
    assert not processes.is_alive(script)
    assert jobs.observe("key-1").canceled


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("subprocess.Popen(['sleep', '600'])", id="child"),
        pytest.param("subprocess.Popen(['sleep', '600'], start_new_session=True)", id="own-session"),
        pytest.param("subprocess.Popen(['sleep', '600'], start_new_session=True, env={})", id="without-the-mark"),
        pytest.param(
            "subprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 1; done'], env={'PATH': '/bin'})",
            id="ignores-term",
        ),
    ],
)
def test_a_child_that_outlives_its_parent_is_ended(jobs: LocalJobs, job: MakeJob, start: str) -> None:
    jobs.submit(job(f"import subprocess\nprint({start}.pid, flush=True)"), silent)
    child = processes.identify(int(first_line(jobs)))

    wait_until(lambda: jobs.observe("key-1").state == "Ended")

    assert child is None or not processes.is_alive(child)
    seen = jobs.observe("key-1")
    assert (seen.exit_code, seen.canceled, seen.timed_out) == (0, False, False)


@pytest.mark.slow
def test_a_timeout_ends_a_whole_group_that_ignores_it(jobs: LocalJobs, job: MakeJob) -> None:
    script = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
    jobs.submit(job(script, timeout_s=0.5), silent)
    child = processes.identify(int(first_line(jobs)))
    assert child is not None

    wait_until(lambda: jobs.observe("key-1").state == "Ended")

    seen = jobs.observe("key-1")
    assert (seen.exit_code, seen.timed_out) == (-9, True)
    assert not processes.is_alive(child)


def test_a_job_survives_the_process_that_submitted_it(tmp_path: Path, jobs: LocalJobs, job: MakeJob) -> None:
    go = tmp_path / "go"
    script = f"import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
    spec = job(script + "open('outputs/done', 'w').write('yes')\nprint('done')")
    submit = submitting(jobs, spec) + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    killed = subprocess.run([sys.executable, "-c", submit], stdout=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL

    assert jobs.observe("key-1").state == "Running"
    lines = jobs.logs("key-1", follow=True)
    assert next(lines) == "ready"
    go.touch()
    assert list(lines) == ["done"]
    assert jobs.observe("key-1").exit_code == 0
    assert Path(jobs.collect("key-1").outputs, "done").read_text() == "yes"


def test_an_interrupt_from_the_terminal_does_not_reach_the_job(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job(SLEEPS), silent)
    first_line(jobs)

    for identity in (supervisor_of(jobs), script_of(jobs)):
        assert os.getpgid(identity.pid) != os.getpgid(0)
        assert os.getsid(identity.pid) != os.getsid(0)


def test_of_many_processes_that_submit_at_once_one_starts_it(tmp_path: Path, jobs: LocalJobs, job: MakeJob) -> None:
    started = tmp_path / "started"
    spec = job(f"open({str(started)!r}, 'a').write('x')\n")
    submit = submitting(jobs, spec)
    crowd = [subprocess.Popen([sys.executable, "-c", submit], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait() for process in crowd] == [0, 0, 0, 0]

    list(jobs.logs("key-1", follow=True))
    assert jobs.keys() == ["key-1"]
    assert started.read_text() == "x"


def test_a_submit_that_died_before_the_start_is_begun_anew(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job("print('lost')"), silent)
    list(jobs.logs("key-1", follow=True))
    folder = folder_of(jobs)
    for file in ("supervisor.json", "running.json", "result.json"):
        (folder / file).unlink()
    (folder.parent / ".train-key-1.new").mkdir()

    assert jobs.observe("key-1").state == "Absent"
    jobs.submit(job("print('found')"), silent)

    assert list(jobs.logs("key-1", follow=True)) == ["found"]
    assert jobs.observe("key-1").exit_code == 0
    assert not (folder.parent / ".train-key-1.new").exists()


def test_a_pid_that_was_given_out_again_is_somebody_else(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job(SLEEPS), silent)
    first_line(jobs)
    folder, script = folder_of(jobs), script_of(jobs)
    os.kill(supervisor_of(jobs).pid, signal.SIGKILL)
    myself = processes.identify(os.getpid())
    assert myself is not None
    for file, identity in (
        ("supervisor.json", myself._replace(start="1")),
        ("supervisor.json", myself._replace(boot="an earlier one")),
    ):
        files.write_json(str(folder / file), identity._asdict(), durable=False)
        assert jobs.observe("key-1").state == "Ended"

    stranger = {"started": "", "script": myself._replace(start="1")._asdict()}
    files.write_json(str(folder / "running.json"), stranger, durable=False)
    jobs.cancel("key-1", grace_s=1)  # this process goes on

    assert not processes.is_alive(script)  # known by its mark


def test_another_clone_of_the_project_has_its_own_job_of_that_key(
    tmp_path: Path, jobs: LocalJobs, job: MakeJob
) -> None:
    clone = LocalJobs(str(tmp_path / "clone" / "runs"))
    jobs.submit(job(SLEEPS), silent)
    clone.submit(job(SLEEPS), silent)
    os.kill(supervisor_of(clone).pid, signal.SIGKILL)

    clone.remove("key-1")

    assert jobs.observe("key-1").state == "Running"


def test_a_lost_index_is_made_up_for(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job("print('ran')"), silent)
    list(jobs.logs("key-1", follow=True))
    for file in (Path(jobs._runs) / ".keys").iterdir():
        file.unlink()

    assert jobs.observe("key-1").exit_code == 0
    jobs.submit(job("print('again')"), silent)
    assert list(jobs.logs("key-1", follow=True)) == ["ran"]


def test_ids_that_collide_get_folders_of_their_own(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job("print('one')"), silent)
    jobs.submit(job("print('two')", key="key-2"), silent)

    assert list(jobs.logs("key-1", follow=True)) == ["one"]
    assert list(jobs.logs("key-2", follow=True)) == ["two"]


def test_secrets_are_written_nowhere(jobs: LocalJobs, job: MakeJob) -> None:
    spec = job(
        "import os, sys\nassert os.environ['TOKEN'] == sys.argv[1] == 'hunter' + str(2)",
        argv=("python", "train.py", "hunter2"),
        env={"TOKEN": "hunter2"},
    )
    jobs.submit(spec, silent)
    list(jobs.logs("key-1", follow=True))

    assert jobs.observe("key-1").exit_code == 0
    written = [path for path in Path(jobs._runs).rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert written == []


def test_a_masked_job_whose_supervisor_is_killed_keeps_its_log(jobs: LocalJobs, job: MakeJob) -> None:
    script = "import time\nprint('the canary sings')\nwhile True:\n    time.sleep(0.01)\n    print('it goes on')"
    jobs.submit(job(script, secrets=("canary",)), silent)
    assert first_line(jobs) == "the *** sings"

    os.kill(supervisor_of(jobs).pid, signal.SIGKILL)
    wait_until(lambda: jobs.observe("key-1").state == "Ended")
    collected = jobs.collect("key-1")
    assert Path(collected.logs, "std_log.txt").read_text().startswith("the *** sings\n")
    assert jobs.observe("key-1").exit_code is None


def test_output_that_is_no_text_and_lines_without_an_end(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job("import os\nos.write(1, b'caf\\xe9\\r\\n10%\\r100%\\nlast')"), silent)

    assert list(jobs.logs("key-1", follow=True)) == ["caf\ufffd", "10%\r100%", "last"]


@pytest.mark.parametrize("instead", ["", "open('logs', 'w')", "os.symlink('/nowhere', 'logs')", "os.mkfifo('logs')"])
def test_a_script_that_removes_its_log_folder_does_not_lose_its_log(
    instead: str, jobs: LocalJobs, job: MakeJob
) -> None:
    removing = "import os, shutil\nprint('said', flush=True)\nshutil.rmtree('logs'); shutil.rmtree('outputs')\n"
    jobs.submit(job(removing + instead), silent)

    assert list(jobs.logs("key-1", follow=True)) == ["said"]
    collected = jobs.collect("key-1")
    assert Path(collected.logs, "std_log.txt").read_text() == "said\n"
    assert list(Path(collected.outputs).iterdir()) == []


def test_a_result_that_cannot_be_written_is_tried_again(tmp_path: Path, jobs: LocalJobs, job: MakeJob) -> None:
    go = tmp_path / "go"
    script = f"import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)"
    jobs.submit(job(script), silent)
    first_line(jobs)
    in_the_way = folder_of(jobs) / "result.json"
    in_the_way.mkdir()
    go.touch()
    wait_until(lambda: "can't be written" in (folder_of(jobs) / "supervisor.log").read_text())

    assert jobs.observe("key-1").state == "Running"
    in_the_way.rmdir()
    wait_until(lambda: jobs.observe("key-1").state == "Ended")
    assert jobs.observe("key-1").exit_code == 0


def test_memory_that_children_hold_counts(jobs: LocalJobs, job: MakeJob) -> None:
    child = "import time; data = bytearray(150 << 20); time.sleep(600)"
    script = (
        f"import subprocess, sys\n[subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)][0].wait()"
    )
    jobs.submit(job(script, resources=Resources(memory_bytes=250 << 20)), silent)
    list(jobs.logs("key-1", follow=True))

    seen = jobs.observe("key-1")
    assert (seen.out_of_memory, seen.peak_memory_bytes > 250 << 20) == (True, True)


def test_a_folder_that_cannot_be_made_is_a_refusal(tmp_path: Path, job: MakeJob) -> None:
    (tmp_path / "runs").write_text("in the way")

    with pytest.raises(Refusal, match="MLP8004"):
        LocalJobs(str(tmp_path / "runs")).submit(job("pass"), silent)


def test_a_program_that_cannot_be_started_leaves_no_supervisor(jobs: LocalJobs, job: MakeJob) -> None:
    with pytest.raises(Refusal, match="MLP8004"):
        jobs.submit(job("pass", argv=("no-such-program",)), silent)

    def supervisors() -> list[str]:
        lines = (Path(f"/proc/{p.pid}/cmdline") for p in processes.table())
        return [str(line) for line in lines if line.exists() and jobs._runs.encode() in line.read_bytes()]

    wait_until(lambda: supervisors() == [])
    assert [p.name for p in Path(jobs._runs).iterdir()] == [".keys"]


def test_code_that_cannot_be_copied_is_a_refusal_and_leaves_nothing(jobs: LocalJobs, job: MakeJob) -> None:
    with pytest.raises(Refusal, match="MLP8004"):
        jobs.submit(job("pass", code="/no/such/folder"), silent)

    assert jobs.keys() == []
    assert [p.name for p in Path(jobs._runs).iterdir()] == [".keys"]


def test_what_is_read_only_in_a_job_is_removed_all_the_same(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(
        job("import os\nos.mkdir('outputs/d')\nopen('outputs/d/f', 'w')\nos.chmod('outputs/d', 0o500)"), silent
    )
    list(jobs.logs("key-1", follow=True))

    jobs.remove("key-1")

    assert [p.name for p in Path(jobs._runs).iterdir()] == [".keys"]


def test_checks_name_what_is_missing(jobs: LocalJobs, job: MakeJob) -> None:
    spec = job("pass", argv=("no-such-program",), resources=Resources(shm_bytes=1, gpus=2))

    found = jobs.check(spec)

    assert [(d.code, d.severity) for d in found] == [
        ("MLP8001", "warning"),
        ("MLP8001", "warning"),
        ("MLP8003", "error"),
    ]
    assert not Path(jobs._runs).exists()


def test_the_record_of_a_job_tells_what_it_is(jobs: LocalJobs, job: MakeJob) -> None:
    jobs.submit(job("pass", labels={"address": "run.train"}, timeout_s=60.0), silent)
    list(jobs.logs("key-1", follow=True))

    written = json.loads((folder_of(jobs) / "job.json").read_text())
    assert written.pop("mark").startswith("key-1:")
    assert written == {
        "format": 1,
        "key": "key-1",
        "name": "train",
        "id": "train-key-1",
        "timeout_s": 60.0,
        "memory_bytes": None,
        "labels": {"address": "run.train"},
    }
