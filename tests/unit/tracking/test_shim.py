"""What a script of the retired system finds in a job: executed for real, with nothing but the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlplan.tracking.job import SHIM
from mlplan.tracking.metrics import read_metrics

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs a script as a job would; its output."""

    def run(text: str, **more: str) -> str:
        env = {"PYTHONPATH": SHIM, "MLPLAN_OUTPUTS": str(tmp_path / "outputs"), "PYTHONDONTWRITEBYTECODE": "1"}
        env |= {"AZUREML_RUN_ID": "train-3f2a9c1e0b-1", "MLPLAN_RUN_NAME": "train", **more}
        done = subprocess.run(
            [sys.executable, "-S", "-c", text], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "outputs").mkdir()
    return run


def test_log_metric_needs_no_installed_package(script: Script, tmp_path: Path) -> None:
    script("from mlplan import log_metric\nlog_metric('accuracy', 0.9)\nimport mlplan\nmlplan.log_metric('n', 1)")

    assert read_metrics(str(tmp_path / "outputs")) == {"accuracy": 0.9, "n": 1}


def test_the_rest_of_an_installed_mlplan_is_still_found(script: Script) -> None:
    root = os.path.dirname(os.path.dirname(os.path.dirname(SHIM)))
    text = f"import sys; sys.path.append({root!r}); import mlplan.address; print(mlplan.address.Address('run', 'a'))"

    assert script(text) == "run.a\n"


def test_what_is_logged_are_the_runs_metrics(script: Script, tmp_path: Path) -> None:
    text = """
from azureml.core import Run
run = Run.get_context()
run.log("accuracy", 0.9)
run.log("loss", 2, step=1)
run.log("loss", 1)
run.log_list("folds", [1, 2])
run.log_row("table", a=1, b="x")
run.log_row("table", a=2, b="y")
run.log_table("columns", {"c": [1, 2]})
run.parent.log("above", 3)
run.log("odd", object)
run.flush()
run.complete()
print(run.id, run.name, run.experiment.name, run.get_metrics("loss"), Run.get_context() is run)
"""
    assert script(text) == "train-3f2a9c1e0b-1 train train {'loss': [2, 1]} True\n"
    assert read_metrics(str(tmp_path / "outputs")) == {
        "accuracy": 0.9,
        "loss": [2, 1],
        "folds": [1, 2],
        "table": {"a": [1, 2], "b": ["x", "y"]},
        "columns": {"c": [1, 2]},
        "above": 3,
        "odd": "<class 'object'>",
    }


def test_a_list_is_not_logged_as_a_value(script: Script) -> None:
    text = """
from azureml.core import Run
run = Run.get_context()
for call in (lambda: run.log("a", [1]), lambda: run.log_table("t", {"a": [1], "b": [1, 2]})):
    try:
        call()
    except (TypeError, ValueError) as error:
        print(error)
"""
    assert script(text) == "log takes one value; for several of a use log_list\nthe columns of t differ in length\n"


def test_uploads_are_outputs(script: Script, tmp_path: Path) -> None:
    text = """
import io, os
from azureml.core import Run
run = Run.get_context()
os.makedirs("made/deep")
open("made/deep/a.txt", "w").write("a")
run.upload_file("./outputs/one.txt", "made/deep/a.txt")
run.upload_file("outputs/one.txt", "outputs/one.txt")
run.upload_file("two.txt", io.BytesIO(b"two"))
run.upload_folder("three", "made")
run.upload_files(["four.txt"], ["made/deep/a.txt"])
run.log_image("picture", path="made/deep/a.txt")
class Plot:
    def savefig(self, path):
        open(path, "w").write("drawn")
run.log_image("plot", plot=Plot())
run.download_file("outputs/two.txt", "fetched.txt")
print(open("fetched.txt").read(), run.get_file_names())
try:
    run.upload_file("../outside", "made/deep/a.txt")
except ValueError as error:
    print(error)
"""
    names = ["four.txt", "metrics.jsonl", "one.txt", "picture.txt", "plot.png", "three/deep/a.txt", "two.txt"]
    listed = [f"outputs/{name}" for name in names]
    assert script(text) == f"two {listed}\n../outside is no name of an output\n"
    assert (tmp_path / "outputs" / "one.txt").read_text() == "a"
    assert read_metrics(str(tmp_path / "outputs")) == {"picture": "picture.txt", "plot": "plot.png"}


def test_imports_that_are_not_used_do_no_harm_and_calls_say_so(script: Script) -> None:
    text = """
from azureml.core import Dataset, Datastore, Experiment, Run, Workspace
from azureml.core.run import Run as Same, _OfflineRun
from azureml.core.dataset import Dataset as Other
from azureml.core.authentication import ServicePrincipalAuthentication
from azureml.exceptions import ProjectSystemException
import azureml.contrib.services
import azureml.train.automl.runtime as automl
run = Run.get_context()
assert Same is Run and not isinstance(run, _OfflineRun) and type(run) is not _OfflineRun
assert issubclass(ProjectSystemException, Exception)
calls = [
    lambda: Workspace.from_config(),
    lambda: Dataset.get_by_name(run.experiment.workspace, "x"),
    lambda: run.experiment.workspace.get_default_datastore(),
    lambda: Other.File.from_files("x"),
    lambda: ServicePrincipalAuthentication("x"),
    lambda: automl.AutoMLConfig(),
    lambda: run.submit_child("x"),
    lambda: run.parent.cancel(),
    lambda: run.get_secret("key"),
]
for call in calls:
    try:
        call()
        print("no error")
    except NotImplementedError as error:
        print(str(error).partition(" is not available here: this run is executed by mlplan")[0])
"""
    assert script(text).splitlines() == [
        "azureml.core.Workspace.from_config",
        "azureml.core.Dataset.get_by_name",
        "azureml.core.Run.experiment.workspace.get_default_datastore",
        "azureml.core.dataset.Dataset.File.from_files",
        "azureml.core.authentication.ServicePrincipalAuthentication",
        "azureml.train.automl.runtime.AutoMLConfig",
        "azureml.core.Run.submit_child",
        "run.parent.cancel() (end the script with sys.exit(1): what needs this run then won't start)",
        "the secret key (declare `env: {NAME: ${{ secret.key }}}` instead)",
    ]


def test_input_datasets_come_from_variables(script: Script) -> None:
    text = """
from azureml.core import Run
inputs = Run.get_context().input_datasets
print(inputs["mnist"], list(inputs), "mnist" in inputs, inputs.get("other"))
try:
    inputs["other"]
except KeyError as error:
    print(error)
"""
    first, second = script(text, AZUREML_DATAREFERENCE_mnist="/data").splitlines()
    assert first == "/data ['mnist'] True None"
    assert "env: {AZUREML_DATAREFERENCE_other: '${{ dataset.other.path }}'}" in second


def test_a_models_path_is_found_in_a_run_and_in_a_service(script: Script, tmp_path: Path) -> None:
    for version in ("2", "10"):
        (tmp_path / "app" / "azureml-models" / "digits" / version).mkdir(parents=True)
        (tmp_path / "app" / "azureml-models" / "digits" / version / "model.pkl").touch()
    (tmp_path / "local.pkl").touch()
    text = """
import os
from azureml.core.model import Model
print(Model.get_model_path("local.pkl"))
os.environ["AML_APP_ROOT"] = "app"
print(Model.get_model_path("digits"), Model.get_model_path("digits", version=2), Model.Framework.SCIKITLEARN)
try:
    Model.get_model_path("nothing")
except Exception as error:
    print(type(error).__name__)
"""
    assert script(text).splitlines() == [
        "local.pkl",
        "app/azureml-models/digits/10/model.pkl app/azureml-models/digits/2/model.pkl ScikitLearn",
        "ModelNotFoundException",
    ]


def test_register_model_says_what_to_declare(script: Script) -> None:
    text = """
from azureml.core import Run
model = Run.get_context().register_model("digits", model_path="outputs/m.pkl")
print(model.name, model.version)
"""
    assert script(text).splitlines() == [
        "model digits is not registered by this call: declare it in mlplan.yaml:",
        "model:",
        "  digits: {run: train, path: outputs/m.pkl}",
        "digits 0",
    ]


def test_without_a_run_it_is_an_offline_run(script: Script) -> None:
    text = """
import os
del os.environ["AZUREML_RUN_ID"], os.environ["MLPLAN_OUTPUTS"]
from azureml.core.run import Run, _OfflineRun
run = Run.get_context()
print(run.id.startswith("OfflineRun_"), isinstance(run, _OfflineRun))
run.log("a", 1)
try:
    Run.get_context(allow_offline=False)
except Exception as error:
    print(type(error).__name__)
"""
    assert script(text).splitlines() == ["True True", "a: 1", "RunEnvironmentException"]
