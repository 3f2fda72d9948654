"""`Model.get_model_path`: where a registered model's files are, inside a service."""

from __future__ import annotations

import os
from typing import Any


class ModelNotFoundException(Exception):
    """There is no such model in this service."""


class Model:
    """The one thing that scoring scripts do with it: `Model.get_model_path`. There is no registry to reach here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("a service of mlplan reaches no registry: use Model.get_model_path(name)")

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Any = None) -> str:
        """The one file or folder of a model's version; without `version`, of its newest one.

        A name that is no model of the service, but a path that exists, comes back as it is.
        Raises: ModelNotFoundException; ValueError for a version that is no number.
        """
        root = os.path.join(os.environ.get("AML_APP_ROOT", "."), "azureml-models", model_name)
        if not os.path.isdir(root):
            if version is None and os.path.exists(model_name):
                return model_name
            raise ModelNotFoundException(f"Model {model_name} not found in cache at {os.path.dirname(root)}")
        newest = max((int(name) for name in os.listdir(root) if name.isdigit()), default=0)
        folder = os.path.join(root, str(newest if version is None else int(version)))
        if not os.path.isdir(folder):
            raise ModelNotFoundException(f"Model {model_name} with version {version} not found in cache at {root}")
        entries = os.listdir(folder)
        if len(entries) != 1:
            raise ModelNotFoundException(f"{folder} must hold exactly one file or folder; it holds {len(entries)}")
        return os.path.join(folder, entries[0])
