"""The scoring runtime: it loads models, answers requests, and lets a successor take over without losing one.

It imports nothing else of mlplan, so any environment or image can carry this folder. How a target starts it:

    <folder>/runtime/__main__.py        the text of RUNTIME_MAIN
    <folder>/runtime/mlplan_serving/    a copy of this package (its name is free: imports are relative)
    <folder>/service.json               what `settings.py` reads
    <folder>/app/                       the app root

    <python> -I -B -u <folder>/runtime serve <folder>/service.json [--live]
    <python> -I -B    <folder>/runtime probe <folder>/service.json        exit code 0 where the service is ready

Where the package is installed, `python -m mlplan.serving serve CONFIG` is the same. Without `--live` it is a
candidate: it serves on a private port of 127.0.0.1 until the control socket says `go-live` (`control.py` has the
messages and a client). With `--live` it serves in public as soon as it is ready: that is for images. What the
environment needs stands in `requirements.txt` beside this file.

    supervisor.py      one process without user code: starts workers, replaces dead ones, hands the port over
    worker.py          one process with the model: connection.py -> service.py (routes) -> scoring.py -> a model
    entry.py           a model by an entry script, `init()` and `run(data)`
    estimator.py       a model that serves itself, scikit-learn
"""

VERSION = "1.0"
"""The runtime's version, as clients of the service see it."""

RUNTIME_MAIN = "from mlplan_serving.__main__ import main\n\nraise SystemExit(main())\n"
"""The text of `<folder>/runtime/__main__.py`."""

GAVE_UP = "mlplan service: failed: "
"""What the line of the log says, after its time, before why a supervisor gave up."""

EXIT_FAILED = 3
"""The exit code of a supervisor whose workers can't start or keep dying."""
