"""The tools that mlplan is compared with: terraform and git on the path, DVC in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

TERRAFORM_ENV = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
DVC_ENV = {"DVC_NO_ANALYTICS": "1", "DVC_GLOBAL_CONFIG_DIR": "/nonexistent", "DVC_SYSTEM_CONFIG_DIR": "/nonexistent"}


def mlplan() -> str:
    """The command beside the interpreter that runs this."""
    return os.path.join(os.path.dirname(sys.executable), "mlplan")


def terraform() -> str | None:
    return shutil.which("terraform")


def git() -> str | None:
    return shutil.which("git")


def dvc(cache: str) -> str | None:
    """DVC in an environment of its own below `cache`, installed when it is not there; None where it can't be."""
    home = os.path.join(cache, "dvc")
    program = os.path.join(home, "bin", "dvc")
    if not os.path.exists(program):
        uv = os.path.join(os.path.dirname(sys.executable), "uv")
        commands = (
            [uv, "venv", "-q", "--python", sys.executable, home],
            [uv, "pip", "install", "-q", "--python", home, "dvc"],
        )
        if any(subprocess.run(command, check=False).returncode for command in commands):
            return None
    return program


def versions(cache: str) -> dict[str, str]:
    """The version that each tool tells of itself."""
    asked = {
        "mlplan": (mlplan(), "--version"),
        "terraform": (terraform(), "version"),
        "dvc": (dvc(cache), "--version"),
        "git": (git(), "--version"),
    }
    return {name: version(program, flag) for name, (program, flag) in asked.items() if program}


def version(program: str, flag: str) -> str:
    environment = {**os.environ, **TERRAFORM_ENV}
    answer = subprocess.run([program, flag], capture_output=True, text=True, check=True, env=environment)
    return answer.stdout.split("\n")[0].split()[-1].lstrip("v")
