"""Writing where the command line says."""

from __future__ import annotations

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
