"""`Model.get_model_path`: where a model's file is, in a run and in a service."""

from __future__ import annotations

import os
from typing import Any

from ._unavailable import NotAvailable


class ModelNotFoundException(Exception):
    """There is no such model here."""


class _Framework:
    CUSTOM = "Custom"
    TENSORFLOW = "TensorFlow"
    SCIKITLEARN = "ScikitLearn"
    ONNX = "Onnx"
    PYTORCH = "PyTorch"
    KERAS = "Keras"


class Model:
    """A model by its name."""

    Framework = _Framework

    def __init__(self, workspace: Any = None, name: str | None = None, *args: Any, **kwargs: Any) -> None:
        raise NotAvailable("azureml.core.Model(workspace, ...)")

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: Any = None, version_: Any = None
    ) -> str:
        """The path of the model's file or folder: in a service the one it serves, else `model_name` as a path.

        Raises: ModelNotFoundException.
        """
        folder = os.path.join(os.environ.get("AML_APP_ROOT", "."), "azureml-models", model_name)
        if os.path.isdir(folder):
            versions = sorted(int(entry) for entry in os.listdir(folder) if entry.isdecimal())
            chosen = int(version) if version is not None else (versions[-1] if versions else None)
            if chosen in versions:
                entries = os.listdir(os.path.join(folder, str(chosen)))
                if len(entries) == 1:
                    return os.path.join(folder, str(chosen), entries[0])
        if os.path.exists(model_name):
            return model_name
        raise ModelNotFoundException(
            f"model {model_name} is not here. Hand its path to the script in mlplan.yaml: "
            f"arguments: [..., '${{{{ model.{model_name}.path }}}}']"
        )

    @classmethod
    def register(cls, *args: Any, **kwargs: Any) -> Any:
        """Models are declared in mlplan.yaml."""
        raise NotAvailable("azureml.core.Model.register")
