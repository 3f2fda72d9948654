"""Reads MNIST's files: a header that tells the shape, then one byte for each value."""

import gzip
import os
import struct

import numpy as np


def read_images(folder, name):
    """Images as rows of pixels from 0 to 255, shape (images, 784)."""
    with gzip.open(os.path.join(folder, name)) as stream:
        _, count, height, width = struct.unpack(">4i", stream.read(16))
        return np.frombuffer(stream.read(), np.uint8).reshape(count, height * width)


def read_labels(folder, name):
    """The digit that each image shows, shape (images,)."""
    with gzip.open(os.path.join(folder, name)) as stream:
        stream.read(8)
        return np.frombuffer(stream.read(), np.uint8)
