"""Takes the mean of all numbers."""

import argparse
import json
import os

from reading import read_numbers

import mlplan

parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--rate", type=float)
args = parser.parse_args()

numbers = read_numbers(args.data)
mean = sum(numbers) / len(numbers)
print(f"the mean of {len(numbers)} numbers is {mean}")
mlplan.log_metric("count", len(numbers))

os.makedirs("outputs", exist_ok=True)
with open("outputs/mean.json", "w") as stream:
    json.dump({"mean": mean, "rate": args.rate}, stream)
