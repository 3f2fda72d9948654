"""Tells the species of each flower, or that it is like none that is known."""

import glob
import json
import os

import joblib


def init():
    global species, novelty
    species, novelty = load("species"), load("novelty")


def load(model):
    # With several models AZUREML_MODEL_DIR is the folder of all: NAME/VERSION/FILE.
    (path,) = glob.glob(os.path.join(os.environ["AZUREML_MODEL_DIR"], model, "*", f"{model}.joblib"))
    return joblib.load(path)


def run(data):
    flowers = json.loads(data)["data"]
    names, known = species.predict(flowers), novelty.predict(flowers)
    return [name if is_known == 1 else "unknown" for name, is_known in zip(names, known, strict=True)]
