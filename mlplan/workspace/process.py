"""Who a process is: more than its number, which the system gives to another one sooner or later."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from mlplan.json_types import Json

_CI_VARIABLES = ("GITHUB_RUN_ID", "CI_JOB_ID", "CI_PIPELINE_ID", "BUILD_BUILDID", "BUILDKITE_BUILD_ID", "BUILD_TAG")


def this_process(command: str) -> dict[str, Json]:
    """What another process needs to name this one, and to tell whether it still lives."""
    return {
        "who": who(),
        "host": host(),
        "boot": boot(),
        "pids": pid_namespace(),
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "command": command,
        "ci": next((f"{name}={os.environ[name]}" for name in _CI_VARIABLES if os.environ.get(name)), ""),
    }


def is_running(process: Mapping[str, Json]) -> bool | None:
    """Whether a process described by `this_process` still lives; None where that can't be told from here: another
    machine, another container, another boot of a machine that can't be recognised."""
    if process.get("host") != host() or not boot():
        return None
    if process.get("boot") != boot():
        return False  # the machine was started anew since
    if process.get("pids") != pid_namespace():
        return None
    pid = process.get("pid")
    return isinstance(pid, int) and started(pid) == process.get("started") != ""


def who() -> str:
    """user@host."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME")
    if not user:
        import getpass

        try:
            user = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a uid without a name, as in many containers
            user = "unknown"
    return f"{user}@{host()}"


def host() -> str:
    """The machine's name."""
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "")
    return os.uname().nodename


def boot() -> str:
    """Names the time since the machine was last started; "" where the system doesn't tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
            return stream.read().strip()
    except OSError:
        import psutil  # heavy, and not needed on Linux

        return str(round(psutil.boot_time()))


def pid_namespace() -> str:
    """Names what process numbers count in: two containers on one machine have numbers of their own."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def started(pid: int) -> str:
    """When a process was started, by a count that isn't given twice under one boot; "" where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "" if os.path.isdir("/proc/self") else _started_elsewhere(pid)
    state, ticks = fields[0], fields[19]
    return "" if state in (b"Z", b"X") else ticks.decode()  # a zombie does nothing more


def _started_elsewhere(pid: int) -> str:
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""
