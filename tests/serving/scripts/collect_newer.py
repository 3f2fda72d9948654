"""Inputs and predictions, kept by the collector of the newer generation."""

import json

import joblib
import numpy as np
from azureml.core import Model
from azureml.monitoring import ModelDataCollector


def init():
    global model, inputs_dc, prediction_dc
    model = joblib.load(Model.get_model_path("best_model"))
    inputs_dc = ModelDataCollector("best_model", designation="inputs", feature_names=["f1", "f2", "f3", "f4"])
    prediction_dc = ModelDataCollector("best_model", designation="predictions", feature_names=["prediction1"])


def run(raw_data):
    data = np.array(json.loads(raw_data)["data"])
    result = model.predict(data)
    inputs_dc.collect(data)  # this call is saving our input data
    prediction_dc.collect(result)  # this call is saving our prediction data
    return result.tolist()
