"""Fits the model that every server serves, and writes one row of it in both forms: `fit.py FOLDER`."""

import json
import os
import sys

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

folder = sys.argv[1]
rows, labels = load_digits(return_X_y=True)
rows = rows / 16
model = LogisticRegression(max_iter=200).fit(rows, labels)
os.makedirs(os.path.join(folder, "model"), exist_ok=True)
joblib.dump(model, os.path.join(folder, "model", "model.pkl"))
row = rows[0].tolist()
tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": row}
bodies = {"data": {"data": [row], "method": "predict"}, "tensor": {"inputs": [tensor]}}
for name, body in bodies.items():
    with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as stream:
        json.dump(body, stream)
