"""Says of each number whether it is above the mean."""

import json
import os


def init():
    global model
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "mean.json")) as stream:
        model = json.load(stream)


def run(data):
    numbers = json.loads(data)["data"]
    return ["above" if number > model["mean"] else "below" for number in numbers]
