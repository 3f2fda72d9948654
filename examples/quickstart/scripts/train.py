"""Trains a classifier of handwritten digits."""

import argparse
import os

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import mlplan

parser = argparse.ArgumentParser()
parser.add_argument("--data-folder", required=True, help="folder with digits.csv")
parser.add_argument("--regularization", type=float, default=0.1, help="strength of the regularization")
args = parser.parse_args()

table = np.loadtxt(os.path.join(args.data_folder, "digits.csv"), delimiter=",", skiprows=1)
digits, pixels = table[:, 0].astype(int), table[:, 1:]
train_pixels, test_pixels, train_digits, test_digits = train_test_split(
    pixels, digits, test_size=0.25, stratify=digits, random_state=42
)
print(f"{len(train_digits)} images to learn from, {len(test_digits)} to test with")

model = LogisticRegression(C=1 / args.regularization, max_iter=1000)
model.fit(train_pixels / 16, train_digits)

accuracy = model.score(test_pixels / 16, test_digits)
print(f"accuracy {accuracy:.4f}")
mlplan.log_metric("accuracy", accuracy)

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/model.pkl")
