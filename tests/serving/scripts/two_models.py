"""Two models of one service, by the folder of all and by their names; errors are answers."""

import json
import os
import time

import joblib
import numpy as np
from azureml.core.model import Model


def init():
    global first, second
    print("models from " + os.getenv("AZUREML_MODEL_DIR") + time.strftime(" %H:%M:%S"))
    first = joblib.load(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "small", "1", "model.pkl"))
    second = joblib.load(Model.get_model_path(model_name="large", version=2))


def run(data):
    try:
        rows = np.array(json.loads(data)["data"])
        answers = {"first": first.predict(rows).tolist(), "second": second.predict(rows).tolist()}
        info = {"input": data, "output": answers}
        print(json.dumps(info))
        return answers
    except Exception as e:
        error = str(e)
        print(error + time.strftime("%H:%M:%S"))
        return error
