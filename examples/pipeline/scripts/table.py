"""Reads and writes tables: a line of names, then lines of numbers."""

import numpy as np


def read_table(path):
    """The names of the columns and the numbers below them."""
    with open(path) as stream:
        header = stream.readline().strip()
        return header, np.loadtxt(stream, delimiter=",")


def write_table(path, header, rows):
    np.savetxt(path, rows, fmt="%g", delimiter=",", header=header, comments="")
