"""`Run`: the run that the script belongs to. What it logs are the run's metrics; what it uploads are its outputs."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from mlplan.tracking.shim._mlplan_tracking import FILE, merge, outputs_folder, plain, read_records, report
else:
    from _mlplan_tracking import FILE, merge, outputs_folder, plain, read_records, report

from ._unavailable import NotAvailable, named


class RunEnvironmentException(Exception):
    """The script isn't executed as a run."""


class Run:
    """The run that this process belongs to."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.name = os.environ.get("MLPLAN_RUN_NAME", id)
        self.number = 1
        self.tags: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.experiment = _Experiment(self.name)
        self.input_datasets = _Inputs()
        self.output_datasets = _Inputs()

    @classmethod
    def get_context(cls, allow_offline: bool = True, **kwargs: Any) -> Any:
        """The run; outside of one an offline run, or RunEnvironmentException where that isn't allowed."""
        id = os.environ.get("AZUREML_RUN_ID")
        if id and outputs_folder() is not None:
            if id not in _runs:
                _runs[id] = Run(id)
            return _runs[id]
        if not allow_offline:
            raise RunEnvironmentException("this script is not executed as a run")
        return _OfflineRun()

    # Metrics

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """A value; the same name again makes a series."""
        if isinstance(value, (list, tuple, range)) or hasattr(value, "__next__"):
            raise TypeError(f"log takes one value; for several of {name} use log_list")
        report(name, "value", _scalar(value))

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """Several values of a series."""
        report(name, "list", [_scalar(item) for item in value])

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """A row of a table, column by column."""
        report(name, "row", {column: _scalar(value) for column, value in kwargs.items()})

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """A table, as lists by column. Raises: ValueError where they differ in length."""
        columns = {
            key: list(v) if hasattr(v, "__iter__") and not isinstance(v, str) else [v] for key, v in value.items()
        }
        if len({len(column) for column in columns.values()}) > 1:
            raise ValueError(f"the columns of {name} differ in length")
        report(name, "table", {key: [_scalar(item) for item in column] for key, column in columns.items()})

    def log_image(self, name: str, path: str | None = None, plot: Any = None, description: str = "") -> None:
        """A picture among the outputs, from a file or from matplotlib."""
        if (path is None) == (plot is None):
            raise ValueError("log_image takes either a path or a plot")
        if path is not None:
            file = name + os.path.splitext(path)[1]
            self.upload_file(file, path)
        else:
            file = f"{name}.png"
            plot.savefig(_place(file))
        report(name, "value", file)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """A chart's data, as it is."""
        report(name, "value", plain(value) if not isinstance(value, str) else value)

    log_accuracy_table = log_residuals = log_predictions = log_confusion_matrix

    def get_metrics(self, name: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """What was logged so far."""
        metrics = merge(read_records(_place(FILE)))
        return metrics if name is None else {key: value for key, value in metrics.items() if key == name}

    # Files

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Puts a file among the outputs."""
        target = _place(name)
        if hasattr(path_or_stream, "read"):
            data = path_or_stream.read()
            with open(target, "wb") as stream:
                stream.write(data.encode() if isinstance(data, str) else data)
        elif not (os.path.exists(target) and os.path.samefile(path_or_stream, target)):
            shutil.copyfile(path_or_stream, target)

    def upload_files(self, names: Sequence[str], paths: Sequence[str], **kwargs: Any) -> None:
        """Puts files among the outputs."""
        if len(names) != len(paths):
            raise ValueError("upload_files takes as many names as paths")
        for name, path in zip(names, paths):
            self.upload_file(name, path)

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:
        """Puts a folder's files among the outputs."""
        for parent, _, files in os.walk(path):
            for file in files:
                source = os.path.join(parent, file)
                self.upload_file(os.path.join(name, os.path.relpath(source, path)), source)

    def download_file(self, name: str, output_file_path: str | None = None, **kwargs: Any) -> None:
        """Copies an output to where the script wants it."""
        target = output_file_path or os.path.basename(name)
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(name))
        shutil.copyfile(_place(name), target)

    def get_file_names(self) -> list[str]:
        """The outputs, as `outputs/...`."""
        root = _outputs()
        found = (os.path.join(parent, file) for parent, _, files in os.walk(root) for file in files)
        return sorted(os.path.join("outputs", os.path.relpath(path, root)) for path in found)

    # What the run is

    @property
    def parent(self) -> _Parent:
        """The pipeline that a script may think it is a step of: what it logs there are this run's metrics."""
        return _Parent(self.id)

    def tag(self, key: str, value: Any = None) -> None:
        """Told in the log; tags that last are declared in mlplan.yaml."""
        self.tags[key] = str(value)
        print(f"tag {key}: {value}", flush=True)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Several tags."""
        for key, value in tags.items():
            self.tag(key, value)

    def get_tags(self) -> dict[str, str]:
        """The tags set by this process."""
        return dict(self.tags)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Told in the log."""
        for key, value in properties.items():
            self.properties[key] = str(value)
            print(f"property {key}: {value}", flush=True)

    def get_properties(self) -> dict[str, str]:
        """The properties set by this process."""
        return dict(self.properties)

    def get_status(self) -> str:
        """It runs, since the script does."""
        return "Running"

    def get_details(self) -> dict[str, Any]:
        """Its id and status."""
        return {"runId": self.id, "status": "Running", "properties": dict(self.properties)}

    def register_model(self, model_name: str, model_path: str | None = None, **kwargs: Any) -> _Declared:
        """Says in the log what to declare instead; nothing is registered by a script."""
        path = model_path or f"outputs/{model_name}"
        print(f"model {model_name} is not registered by this call: declare it in mlplan.yaml:", flush=True)
        print(f"model:\n  {model_name}: {{run: {self.name}, path: {path}}}", flush=True)
        return _Declared(model_name)

    def get_secret(self, name: str) -> NoReturn:
        """Secrets are given as variables."""
        raise NotAvailable(f"the secret {name} (declare `env: {{NAME: ${{{{ secret.{name} }}}}}}` instead)")

    def complete(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: how the run ends is its exit code."""

    def fail(self, error_details: Any = None, error_code: Any = None, **kwargs: Any) -> None:
        """Only told in the log: how the run ends is its exit code."""
        print(f"run.fail: {error_details or ''} {error_code or ''}".rstrip(), flush=True)

    def cancel(self) -> None:
        """Only told in the log, as ever inside a run."""
        print("run.cancel does nothing inside the run; end the script with sys.exit(1)", flush=True)

    def flush(self, timeout_seconds: int = 300) -> None:
        """Nothing: whatever is logged is written at once."""

    def wait_for_completion(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Nothing to wait for."""
        return self.get_details()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return named(f"azureml.core.Run.{name}")


_runs: dict[str, Run] = {}


class _Parent(Run):
    """See `Run.parent`."""

    def cancel(self) -> NoReturn:
        """Stopping the steps behind this one is done by failing."""
        raise NotAvailable(
            "run.parent.cancel() (end the script with sys.exit(1): what needs this run then won't start)"
        )


class _Experiment:
    """A name; its workspace isn't there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.workspace = named("azureml.core.Run.experiment.workspace")


class _Inputs(Mapping[str, str]):
    """Input folders by name: from the variables that hold their paths."""

    def __getitem__(self, name: str) -> str:
        for variable in (f"AZUREML_DATAREFERENCE_{name}", f"AZURE_ML_INPUT_{name}", f"AZURE_ML_OUTPUT_{name}"):
            if variable in os.environ:
                return os.environ[variable]
        raise KeyError(
            f"no input {name}: give the run its path in mlplan.yaml, "
            f"env: {{AZUREML_DATAREFERENCE_{name}: '${{{{ dataset.{name}.path }}}}'}}"
        )

    def __iter__(self) -> Iterator[str]:
        prefix = "AZUREML_DATAREFERENCE_"
        return (variable[len(prefix) :] for variable in os.environ if variable.startswith(prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Declared:
    """What `register_model` gives back: the name, and no version yet."""

    def __init__(self, name: str) -> None:
        self.name = self.id = name
        self.version = 0
        self.tags: dict[str, str] = {}
        self.properties: dict[str, str] = {}


class _OfflineRun(Run):
    """A script started by hand: what it would log is printed."""

    def __init__(self) -> None:
        super().__init__("OfflineRun_" + str(os.getpid()))

    @property
    def parent(self) -> Any:
        """An offline run has none."""
        raise AttributeError("parent")

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Only told."""
        print(f"upload {name}", flush=True)


def _outputs() -> str:
    return outputs_folder() or "outputs"


def _place(name: str) -> str:
    """Where a file of this name stands among the outputs; its folder is made."""
    parts = [part for part in os.path.normpath(name).split(os.sep) if part not in ("", ".")]
    if parts and parts[0] == "outputs":
        parts = parts[1:]
    if not parts or ".." in parts:
        raise ValueError(f"{name} is no name of an output")
    path = os.path.join(_outputs(), *parts)
    with contextlib.suppress(FileExistsError):
        os.makedirs(os.path.dirname(path))
    return path


def _scalar(value: Any) -> Any:
    """A single value; what JSON has nothing for as its text."""
    try:
        return plain(value)
    except TypeError:
        return repr(value)
