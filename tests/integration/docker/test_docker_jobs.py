"""Jobs in containers: what the laws of every target don't say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from on_targets import silent

from mlplan.errors import Refusal
from mlplan.targets.docker.jobs import DockerJobs
from mlplan.targets.protocols import JobSpec, Mount, Resources, Target

from .on_docker import H11, docker, home, inspect, of

pytestmark = pytest.mark.docker
MakeJob = Callable[..., JobSpec]


def finish(target: Target, spec: JobSpec) -> list[str]:
    """Runs a job to its end; its output."""
    target.jobs.submit(spec, silent)
    return list(target.jobs.logs(spec.key, follow=True))


def stages(target: Target, spec: JobSpec) -> list[str]:
    """What is told while a job is submitted, and its end awaited."""
    told: list[str] = []
    target.jobs.submit(spec, lambda stage, detail: told.append(detail))
    list(target.jobs.logs(spec.key, follow=True))
    return told


def image_of(target: Target, key: str) -> dict[str, Any]:
    """The image of a job's container."""
    (container,) = of(target, key=key)
    (image,) = inspect(container["Image"])
    return image


def test_a_job_never_runs_as_root_and_its_outputs_are_ours(target: Target, job: MakeJob) -> None:
    spec = job("import os\nprint(os.getuid() != 0, os.getgid())\nopen('outputs/model', 'w').close()")

    assert finish(target, spec) == ["True 0"]
    assert (Path(target.jobs.collect("key-1").outputs) / "model").stat().st_uid == os.getuid()


def test_datasets_are_read_only(target: Target, job: MakeJob, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o777)
    (folder / "rows.csv").write_text("1,2")
    script = """
import sys
print(open(sys.argv[1] + "/rows.csv").read())
try:
    open(sys.argv[1] + "/new", "w")
except OSError as error:
    print(error.strerror)
"""
    mounts = (Mount(str(folder), "@data@"),)

    assert finish(target, job(script, argv=("python", "train.py", "@data@"), mounts=mounts)) == [
        "1,2",
        "Read-only file system",
    ]


def test_a_folder_that_only_root_may_read_is_told_beforehand(target: Target, job: MakeJob, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only where root runs mlplan does the container have another user")
    tmp_path.chmod(0o700)

    (found,) = target.jobs.check(job("", mounts=(Mount(str(tmp_path), "@data@"),)))

    assert found.code == "MLP8212"


def test_limits_are_the_containers(target: Target, job: MakeJob) -> None:
    script = "import os\nshm = os.statvfs('/dev/shm')\nprint(shm.f_blocks * shm.f_frsize)"
    limits = Resources(cpu=0.5, memory_bytes=256 << 20, shm_bytes=16 << 20)

    assert finish(target, job(script, resources=limits)) == [str(16 << 20)]
    (seen,) = of(target, key="key-1")
    settings = seen["HostConfig"]
    assert (settings["NanoCpus"], settings["Memory"], settings["MemorySwap"]) == (500_000_000, 256 << 20, 256 << 20)


def test_gpus_that_are_not_there_are_told_beforehand(target: Target, job: MakeJob) -> None:
    assert "MLP8211" in {d.code for d in target.jobs.check(job("", resources=Resources(gpus=1)))}


def test_secrets_stand_in_nothing_that_the_engine_keeps(target: Target, job: MakeJob) -> None:
    script = "import os, sys\nprint(len(os.environ['TOKEN']), len(sys.argv[1]))"
    spec = job(script, env={"TOKEN": "s3cret-value"}, argv=("python", "train.py", "s3cret-argument"))

    assert finish(target, spec) == ["12 15"]
    (seen,) = of(target, key="key-1")
    assert "s3cret" not in json.dumps(seen)
    assert "s3cret" not in docker("history", "--no-trunc", seen["Image"])


def test_an_image_is_built_once_for_the_same_code(target: Target, job: MakeJob, tmp_path: Path) -> None:
    script = f"print('nobody else has this line', {str(tmp_path)!r})"

    assert any("COPY" in line for line in stages(target, job(script)))
    other = job(script, key="key-2", argv=("python", "train.py", "--other"))
    assert stages(target, other) == ["making the container", ""]


def test_a_changed_script_builds_no_environment(
    open_target: Callable[..., Target], job: MakeJob, buildkit: bool
) -> None:
    target = open_target(buildkit=buildkit)
    stages(target, job("import h11\nprint(h11.__version__)", environment=H11))

    told = stages(target, job("import h11\nprint('changed', h11.__version__)", environment=H11, key="key-2"))

    assert list(target.jobs.logs("key-2", follow=False)) == ["changed 0.16.0"]
    assert not any("Installed" in line for line in told)
    before, after = (image_of(target, key)["RootFS"]["Layers"] for key in ("key-1", "key-2"))
    assert [old == new for old, new in zip(before, after, strict=True)].count(False) == 1  # the code's


def test_what_a_submit_that_died_left_is_no_job(target: Target, job: MakeJob) -> None:
    spec = job("print('ran')")
    jobs = target.jobs
    assert isinstance(jobs, DockerJobs)
    from mlplan.targets.docker.images import build

    image = build(jobs._engine, jobs._recipe(spec), silent)
    left = jobs._make(spec, image["Id"])

    assert jobs.observe("key-1").state == "Absent"
    assert jobs.keys() == ["key-1"]  # so that it can be removed
    docker("start", "--attach", "--interactive", left, check=False)  # nobody says what to run: it ends by itself
    assert jobs.observe("key-1").state == "Absent"
    assert finish(target, spec) == ["ran"]
    assert left not in docker("ps", "-aq", "--no-trunc")


def test_a_killed_container_is_an_ended_job(target: Target, job: MakeJob) -> None:
    target.jobs.submit(job("print('begun', flush=True)\nimport time\ntime.sleep(600)"), silent)
    next(target.jobs.logs("key-1", follow=True))
    docker("kill", of(target, key="key-1")[0]["Id"])

    seen = target.jobs.observe("key-1")

    assert (seen.state, seen.exit_code, seen.canceled, seen.out_of_memory) == ("Ended", None, False, False)
    assert Path(target.jobs.collect("key-1").logs, "std_log.txt").read_text() == "begun\n"


def test_a_program_that_is_not_in_the_image_is_named(target: Target, job: MakeJob) -> None:
    with pytest.raises(Refusal, match="no-such-program"):
        target.jobs.submit(job("", argv=("no-such-program",)), silent)

    assert of(target) == []


def test_removing_leaves_no_container_and_clearing_no_image(target: Target, job: MakeJob, tmp_path: Path) -> None:
    finish(target, job(f"# {tmp_path}"))

    assert target.unused() == []
    target.clear()  # in use: it stays
    (image,) = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *home(target)).split()
    target.jobs.remove("key-1")
    assert target.unused() == [f"image {image}"]
    target.clear()

    assert (of(target), target.unused()) == ([], [])
    assert docker("image", "ls", "-aq", *home(target)) == ""


def test_an_image_that_somebody_named_is_left_to_them(target: Target, job: MakeJob, tmp_path: Path) -> None:
    finish(target, job(f"# {tmp_path}"))
    (seen,) = of(target, key="key-1")
    docker("tag", seen["Image"], "somebodys-own:1")
    target.jobs.remove("key-1")
    try:
        target.clear()

        assert docker("image", "ls", "-q", "somebodys-own:1")
    finally:
        docker("rmi", "somebodys-own:1")
