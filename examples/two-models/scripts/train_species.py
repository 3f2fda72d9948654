"""Trains the model that tells the species."""

import os
import sys

import joblib
from irises import read_irises
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlplan

measures, species = read_irises(sys.argv[1])
model = make_pipeline(StandardScaler(), LogisticRegression())
mlplan.log_metric("accuracy", cross_val_score(model, measures, species, cv=5).mean())

os.makedirs("outputs", exist_ok=True)
joblib.dump(model.fit(measures, species), "outputs/species.joblib")
