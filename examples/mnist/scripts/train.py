"""Trains a classifier of MNIST's handwritten digits. Uses mlplan's metrics by the calls of the system it replaces."""

import argparse
import os

import joblib
from azureml.core import Run
from idx import read_images, read_labels
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("--data-folder", required=True, help="folder with the four MNIST files")
parser.add_argument("--regularization", type=float, default=0.01, help="strength of the regularization")
args = parser.parse_args()
print("data folder:", args.data_folder)

train_images = read_images(args.data_folder, "train-images-idx3-ubyte.gz") / 255
train_labels = read_labels(args.data_folder, "train-labels-idx1-ubyte.gz")
test_images = read_images(args.data_folder, "t10k-images-idx3-ubyte.gz") / 255
test_labels = read_labels(args.data_folder, "t10k-labels-idx1-ubyte.gz")
print(f"{len(train_images)} images to learn from, {len(test_images)} to test with")

# A rough stop is enough: ten times as many steps gain a quarter of a percent.
model = LogisticRegression(C=1 / args.regularization, solver="saga", tol=0.1, random_state=42)
model.fit(train_images, train_labels)

accuracy = model.score(test_images, test_labels)
print("accuracy is", accuracy)

run = Run.get_context()
run.log("regularization rate", args.regularization)
run.log("accuracy", accuracy)

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/sklearn_mnist_model.pkl")
