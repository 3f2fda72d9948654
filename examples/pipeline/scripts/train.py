"""Trains a forest that tells a wine's cultivar."""

import argparse
import os

import joblib
from sklearn.ensemble import RandomForestClassifier
from table import read_table

import mlplan

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True, help="folder with train.csv and test.csv")
parser.add_argument("--trees", type=int, default=100, help="how many trees the forest has")
args = parser.parse_args()

_, train = read_table(os.path.join(args.data, "train.csv"))
_, test = read_table(os.path.join(args.data, "test.csv"))

model = RandomForestClassifier(args.trees, random_state=42)
model.fit(train[:, 1:], train[:, 0].astype(int))

accuracy = model.score(test[:, 1:], test[:, 0])
print(f"accuracy {accuracy:.4f}")
mlplan.log_metric("accuracy", accuracy)
mlplan.log_metric("trees", args.trees)

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/wine.joblib")
