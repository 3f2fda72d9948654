"""Where the program starts: `mlplan`, and `python -m mlplan`."""

import os
import signal
import sys


def main() -> int:
    """Runs the program. Until it is loaded, which takes a moment, Ctrl-C ends it without a word."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from mlplan.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    return run()


if __name__ == "__main__":
    # Python looks first where it was started: there a project's `yaml.py` would be taken for the library.
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    main()
