"""Runs mlplan with a clock that is wrong by some seconds: `python clock.py SECONDS -- apply -y`."""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Shifts the wall clock of this process, then is mlplan. The steady clocks stay as they are."""
    shift = int(sys.argv[1])
    now, now_ns, utc = time.time, time.time_ns, time.gmtime
    time.time = lambda: now() + shift
    time.time_ns = lambda: now_ns() + shift * 10**9
    time.gmtime = lambda seconds=None: utc(now() + shift if seconds is None else seconds)
    from mlplan.cli.main import main as mlplan

    sys.exit(mlplan(sys.argv[3:]))


if __name__ == "__main__":
    main()
