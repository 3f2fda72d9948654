"""Says which digit each image shows."""

import json
import os

import joblib
import numpy as np


def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "sklearn_mnist_model.pkl"))


def run(data):
    images = np.array(json.loads(data)["data"])
    return model.predict(images).tolist()
