"""Trains the model that tells flowers unlike any that were seen."""

import os
import sys

import joblib
from irises import read_irises
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlplan

measures, _ = read_irises(sys.argv[1])
model = make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True, contamination=0.02))
model.fit(measures)
mlplan.log_metric("refused", (model.predict(measures) == -1).mean())

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/novelty.joblib")
