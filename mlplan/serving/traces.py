"""Traces of exceptions as the log has them: of the user's code, without the runtime's own frames around it."""

from __future__ import annotations

import os
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))


def trace_of(error: BaseException) -> str:
    """The exception's trace from the first frame on that isn't the runtime's or an import's."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    if trace is None:  # it was raised here
        trace = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _is_ours(filename: str) -> bool:
    return filename.startswith("<frozen ") or os.path.dirname(filename) == _HERE
