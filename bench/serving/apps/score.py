"""An entry script as the retired system's tutorials have it."""

import json
import os

import joblib
import numpy as np


def init():
    global model
    model = joblib.load(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.pkl"))


def run(data):
    rows = np.array(json.loads(data)["data"])
    return model.predict(rows).tolist()
