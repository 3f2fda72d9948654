"""A worker as its supervisor sees it: a child process with a channel."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from time import monotonic

from . import logs
from .control import Channel
from .settings import Config

# Must not be taken from worker.py, which brings the event loop along.
_OVER_TIME = signal.SIGUSR1


class WorkerProcess:
    """A running worker."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        self.pid = process.pid
        self.channel = channel
        self.started = monotonic()
        self.is_ready = False
        self.is_public = False
        self.error = ""  # why it can't start
        self._process = process

    def interrupt(self) -> None:
        """Tells it that the call in its event loop is over its time."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, _OVER_TIME)

    def kill(self, reason: str = "") -> None:
        """Ends it now."""
        if reason:
            logs.say(f"mlplan service: {reason}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def resident_bytes(self) -> int:
        """The memory it has, where the system tells."""
        try:
            with open(f"/proc/{self.pid}/statm", encoding="ascii") as stream:
                return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0


def start_worker(
    config: Config, config_path: str, index: int, listener: int, metrics: int, threads: int
) -> WorkerProcess:
    """Starts a worker by exec, so that its thread limits stand before any library reads them."""
    ours, theirs = socket.socketpair()
    passed = (theirs.fileno(), listener, metrics)
    arguments = [str(number) for number in (index, *passed)]
    with theirs:
        process = subprocess.Popen(
            [*_python(), "worker", config_path, *arguments],
            pass_fds=passed,
            env=_environment(config, threads),
            stdin=subprocess.DEVNULL,
        )
    process.returncode = 0  # the supervisor reaps it, not subprocess
    ours.setblocking(False)
    return WorkerProcess(process, Channel(ours))


def _python() -> list[str]:
    """The command that started this process, up to its own arguments."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.rpartition(".")[0] if spec is not None else ""
    return [sys.executable, "-I", "-B", "-u", *(["-m", module] if module else [sys.argv[0]])]


def _environment(config: Config, threads: int) -> dict[str, str]:
    """The worker's variables: those of this process, what scripts expect, and limits for the libraries' threads."""
    many = len(config.models) != 1
    models = os.path.join(config.app_root, "azureml-models") if many else config.models[0].path.rstrip("/")
    limits = {name: str(threads) for name in _THREAD_VARIABLES if name not in os.environ}
    return {
        **os.environ,
        **limits,
        "AML_APP_ROOT": config.app_root,
        "AZUREML_MODEL_DIR": models,
        "AZUREML_ENTRY_SCRIPT": config.entry_script or "",
        "AZUREML_SOURCE_DIRECTORY": config.source_directory or "",
        "SERVICE_NAME": config.name,
        **config.env,
    }


_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
