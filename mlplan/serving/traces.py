"""Traces of exceptions as the log has them: of the user's code, without the runtime's own frames around it."""

from __future__ import annotations

import os
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))


def trace_of(error: BaseException) -> str:
    """The exception's trace from the first frame on that isn't the runtime's or an import's; the text alone of
    what the runtime itself refuses."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    if trace is None and type(error).__module__.startswith(f"{__package__}."):
        return str(error)  # the runtime says what is wrong with the user's files
    if trace is None and not isinstance(error, SyntaxError):  # that has its place in the user's file without a frame
        trace = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _is_ours(filename: str) -> bool:
    return filename.startswith("<frozen ") or os.path.dirname(filename) == _HERE
