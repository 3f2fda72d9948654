"""Reads a folder of numbers, one a line."""

import glob
import os


def read_numbers(folder):
    lines = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(path) as stream:
            lines += stream.read().split()
    return [float(line) for line in lines]
