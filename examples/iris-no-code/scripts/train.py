"""Trains a classifier of irises."""

import csv
import os
import sys

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlplan

with open(sys.argv[1], newline="") as stream:
    rows = list(csv.DictReader(stream))
species = [row.pop("species") for row in rows]
measures = [[float(value) for value in row.values()] for row in rows]

model = make_pipeline(StandardScaler(), LogisticRegression())
mlplan.log_metric("accuracy", cross_val_score(model, measures, species, cv=5).mean())

os.makedirs("outputs", exist_ok=True)
joblib.dump(model.fit(measures, species), "outputs/iris.joblib")
