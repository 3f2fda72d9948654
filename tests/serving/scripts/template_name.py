"""A template that takes name and version of the model out of its folder's path."""

import json
import os
from pathlib import Path


def init():
    global name, version, file
    model_dir = os.environ["AZUREML_MODEL_DIR"]
    name = model_dir.split("/")[-2]
    version = model_dir.split("/")[-1]
    (file,) = (path.name for path in Path(model_dir).iterdir())


def run(request):
    return json.dumps(
        {"model": name, "version": int(version), "file": file, "here": os.path.exists("azureml-models")}
    )
