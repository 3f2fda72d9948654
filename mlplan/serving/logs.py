"""The service's log: a line for each thing that happened, with its time. It is its processes' standard error."""

from __future__ import annotations

import logging
import string
import sys
import time
from urllib.parse import quote

_MAX_PATH = 200


def say(text: str) -> None:
    """Writes an entry."""
    sys.stderr.write(f"{iso(time.time())} {text}\n")
    sys.stderr.flush()


def iso(seconds: float) -> str:
    """A time in UTC: 2026-01-31T12:00:00.250Z."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def shown(path: bytes) -> str:
    """The path of a request, which may be anything, as it may stand in a line: nothing but printable ASCII, cut."""
    text = quote(path[:_MAX_PATH], safe=string.punctuation)
    return text + "..." if len(path) > _MAX_PATH else text or "-"


def show_logging() -> None:
    """Has `logging.info` reach the log, as scripts expect; one that sets up its own logging has it as it says."""
    logging.getLogger().setLevel(logging.INFO)
    if logging.lastResort is not None:  # no handler of ours: it would keep the script's `basicConfig` from its own
        formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        logging.lastResort.setLevel(logging.INFO)
        logging.lastResort.setFormatter(formatter)
