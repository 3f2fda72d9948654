"""The tutorial's script: one model by its name, rows in, labels out."""

import json
import os
import pickle

import numpy as np
from azureml.core.model import Model
from sklearn.externals import joblib
from sklearn.linear_model import LogisticRegression


def init():
    global model
    # retrieve the path to the model file using the model name
    model_path = Model.get_model_path("sklearn_mnist")
    assert os.path.exists(model_path) and pickle
    model = joblib.load(model_path)
    assert isinstance(model, LogisticRegression)


def run(raw_data):
    data = np.array(json.loads(raw_data)["data"])
    # make prediction
    y_hat = model.predict(data)
    # you can return any data type as long as it is JSON-serializable
    return y_hat.tolist()
