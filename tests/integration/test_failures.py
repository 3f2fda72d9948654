"""What goes wrong ends with a clear message, the last lines of the right log and the documented exit code; the old
service goes on serving, and the next apply goes on from there."""

from __future__ import annotations

import os
import socket

from this_machine import free_port, listens

from .project import Project


def serving(project: Project) -> str:
    """The digest of the model in service, which answers."""
    assert project.ask("means", {"data": [100, 0]}) == ["above", "below"]
    return project.served_digest()


def test_a_failing_script(small: Project) -> None:
    small.apply()
    before = serving(small)
    small.edit("scripts/train.py", "mean = sum(numbers)", "print('dividing now')\nmean = sum(numbers) / 0")
    failed = small.mlplan("apply", "-y", code=1).err
    assert "error[MLP7020]" in failed
    assert "dividing now" in failed
    assert "ZeroDivisionError: float division by zero" in failed
    assert "mlplan run logs train" in failed
    assert serving(small) == before

    small.edit("scripts/train.py", "print('dividing now')\nmean = sum(numbers) / 0", "mean = 2 + sum(numbers)")
    assert small.apply() == {
        "run.train": ("run", "done"),
        "model.mean": ("register", "done"),
        "deployment.means": ("update", "done"),
    }
    small.in_step()
    assert serving(small) != before


def test_a_module_that_is_not_there_is_named(small: Project) -> None:
    small.edit("scripts/train.py", "mean = sum", "import no_such_package.inside\nmean = sum")
    failed = " ".join(small.mlplan("apply", "-y", "--only", "run.train", code=4).err.split())
    assert "Its environment has no module `no_such_package`. Name the package that has it in the run: " in failed
    assert "environment: {packages: [no_such_package]} Its whole log: mlplan run logs train" in failed


def test_a_failing_script_is_tried_again_by_the_next_apply(small: Project) -> None:
    small.edit("scripts/train.py", "mean = sum", "open(args.data + '/not-there.txt')\nmean = sum")
    small.apply(code=4)  # the compute and the dataset stand
    small.write("data/not-there.txt", "4")
    assert small.apply() == {
        "dataset.numbers": ("register", "done"),
        "run.train": ("run", "done"),
        "model.mean": ("register", "done"),
        "deployment.means": ("create", "done"),
    }
    small.in_step()


def test_a_failing_gate(small: Project) -> None:
    small.apply()
    before = serving(small)
    small.edit("mlplan.yaml", "count >= 3]", "count >= 4]")
    refused = small.mlplan("apply", "-y", code=3)
    assert "count >= 4" in refused.err
    assert serving(small) == before

    small.write("data/c.txt", "5")
    assert small.apply()["deployment.means"] == ("update", "done")
    small.in_step()
    assert serving(small) != before


def test_a_failing_gate_keeps_what_was_trained(small: Project) -> None:
    small.edit("mlplan.yaml", "count >= 3]", "count >= 4]")
    done = small.apply(code=3)
    assert (done["run.train"], done["model.mean"]) == (("run", "done"), ("register", "failed"))
    assert done["deployment.means"] == ("create", "not-started")
    assert not listens(small.port)

    small.edit("mlplan.yaml", "count >= 4]", "count >= 3]")
    assert small.apply() == {"model.mean": ("register", "done"), "deployment.means": ("create", "done")}
    assert small.executions("train") == 1


def test_a_failing_init(small: Project) -> None:
    small.apply()
    before = serving(small)
    small.edit("scripts/score.py", '"mean.json"', '"median.json"')
    failed = small.mlplan("apply", "-y", code=4).err  # the inference is recorded, the service not updated
    assert "FileNotFoundError" in failed
    assert "median.json" in failed
    assert serving(small) == before
    told = small.mlplan("service", "logs", "means").err
    assert "did not go live. Its log: .mlplan/services/.refused/means.txt\n" in told

    small.edit("scripts/score.py", '"median.json"', '"mean.json"')
    small.mlplan("apply", "-y")
    small.in_step()
    assert serving(small) == before


def test_what_a_first_candidate_printed_is_kept(small: Project) -> None:
    small.edit("scripts/score.py", '"mean.json"', '"median.json"')
    small.mlplan("apply", "-y", code=4)
    log = small.mlplan("service", "logs", "means")
    assert "median.json" in log.out
    assert log.err == "note: deployment.means never went live. This is the log of its last candidate.\n"

    assert "the log of a candidate of means that did not go live" in small.mlplan("gc", "-y").err
    assert "No deployment is recorded as `means`" in small.mlplan("service", "logs", "means", code=1).err


def test_a_wrong_test_answer(small: Project) -> None:
    small.apply()
    before = serving(small)
    small.edit("mlplan.yaml", "expect: [above, below]", "expect: [above, above]")
    failed = small.mlplan("apply", "-y", code=1).err
    assert "error[MLP7033]" in failed
    assert 'answered ["above", "below"], expected is ["above", "above"]' in " ".join(failed.split())
    assert serving(small) == before

    small.edit("mlplan.yaml", "expect: [above, above]", "expect: [above, below]")
    small.mlplan("apply", "-y")
    small.in_step()


def test_a_taken_port(small: Project) -> None:
    small.apply()
    before = serving(small)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        old, taken = small.port, other.getsockname()[1]
        assert "MLP8002" not in small.mlplan("plan", "--replace", "deployment.means").err  # its own port
        small.env["MLPLAN_VAR_port"] = str(taken)
        warned = small.mlplan("plan").err
        assert "warning[MLP8002]" in warned
        assert "port: ${{ var.port }}\n" in warned
        failed = small.mlplan("apply", "-y", code=1).err
        assert f"{taken}" in failed
        assert "taken" in failed
        assert serving(small) == before
    small.env["MLPLAN_VAR_port"] = str(free_port())
    small.mlplan("apply", "-y")
    small.in_step()
    assert not listens(old)


def test_a_taken_port_at_the_first_apply(small: Project) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", small.port))
        other.listen()
        assert "MLP8002" not in small.mlplan("plan", "--no-refresh").err
        failed = small.mlplan("apply", "-y", code=4).err
        assert failed.index("warning[MLP8002]") < failed.index("run.train: run") < failed.index("error[MLP8002]")
    assert small.apply() == {"deployment.means": ("create", "done")}
    small.in_step()


def test_a_run_past_its_timeout(small: Project) -> None:
    small.edit("mlplan.yaml", "    script: train.py\n", "    script: train.py\n    timeout: 1s\n")
    small.edit(
        "scripts/train.py", "mean = sum", "import time; print('waiting', flush=True); time.sleep(600)\nmean = sum"
    )
    failed = small.mlplan("apply", "-y", code=4).err
    assert "waiting" in failed
    assert "timeout" in failed
    assert "the last time it failed: timeout (mlplan run logs train)" in small.mlplan("plan").out
    assert small.apply(code=1)["run.train"] == ("run", "failed")


def test_a_run_past_its_timeout_that_ends_well_when_asked_to(small: Project) -> None:
    small.edit("mlplan.yaml", "    script: train.py\n", "    script: train.py\n    timeout: 1s\n")
    ending = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(600)"
    small.edit("scripts/train.py", "mean = sum", f"{ending}\nmean = sum")
    failed = " ".join(small.mlplan("apply", "-y", code=4).err.split())
    assert "run.train was ended: it took longer than its `timeout: 1s` allows." in failed


def test_a_failing_init_while_its_compute_gets_another_name(small: Project) -> None:
    small.apply()
    before = serving(small)
    small.edit("mlplan.yaml", "\n  here:", "\n  there:")
    small.edit("mlplan.yaml", "    compute: here\n    source", "    compute: there\n    source")
    small.edit("mlplan.yaml", "    compute: here\n    models", "    compute: there\n    models")
    small.edit("scripts/score.py", '"mean.json"', '"median.json"')
    small.mlplan("apply", "-y", code=4)
    assert serving(small) == before
    assert small.plan()["deployment.means"][0] == "replace"
    assert "Healthy" in small.mlplan("service", "list").out

    small.edit("scripts/score.py", '"median.json"', '"mean.json"')
    assert small.apply()["deployment.means"] == ("replace", "done")
    small.in_step()
    assert serving(small) == before


def test_an_empty_folder_is_no_dataset(small: Project) -> None:
    for name in os.listdir(f"{small.folder}/data"):
        os.unlink(f"{small.folder}/data/{name}")
    refused = small.mlplan("plan", code=1).err
    assert "error[MLP5102]" in refused
    assert "The folder data holds no files." in refused
    assert "source: data\n" in refused  # the place is shown, and marked
    assert "^^^^" in refused


def test_nobody_can_answer(small: Project) -> None:
    refused = small.mlplan("apply", code=1)
    assert "-y" in refused.err
    assert not listens(small.port)
