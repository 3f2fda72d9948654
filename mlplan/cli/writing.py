"""Writing where the command line says."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlplan.codes import plan as codes
from mlplan.errors import Refusal


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Raises: Refusal (MLP5019) with what the operating system says, where it doesn't let a file be written."""
    try:
        yield
    except OSError as error:
        raise Refusal([codes.MLP5019.diagnostic(f"{path} can't be written: {error.strerror}.")]) from error


def place_for(path: str) -> str:
    """Where a file is to be put that takes the place of another: a link stays, and what it leads to is replaced.

    Raises: OSError where something else than a file is there: a device or a pipe would be gone.
    """
    real = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(real):
        raise OSError(errno.EINVAL, "it is no plain file")
    return real
