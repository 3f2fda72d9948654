"""Splits the wines into those to learn from and those to test with."""

import argparse
import os

from sklearn.model_selection import train_test_split
from table import read_table, write_table

parser = argparse.ArgumentParser()
parser.add_argument("--wine", required=True, help="the table of all wines")
parser.add_argument("--test-share", type=float, default=0.3, help="share of the wines to test with")
args = parser.parse_args()

header, wines = read_table(args.wine)
train, test = train_test_split(wines, test_size=args.test_share, stratify=wines[:, 0], random_state=42)
print(f"{len(train)} wines to learn from, {len(test)} to test with")

os.makedirs("outputs", exist_ok=True)
write_table("outputs/train.csv", header, train)
write_table("outputs/test.csv", header, test)
