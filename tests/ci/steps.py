"""Runs the shell steps of a composite action or a workflow as a runner does: one after the other, each with its
environment filled in, outputs handed on by files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Ran(NamedTuple):
    """What a job's steps came to."""

    code: int  # of the last step that ran
    outputs: Mapping[str, str]  # "plan.changes" and so on
    summary: str
    log: str  # both streams


def load(path: str) -> Any:
    """A YAML file of the repository, as its reader takes it (`on` is a word, not a truth)."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        return yaml.load(stream, Loader=yaml.BaseLoader)


def run_steps(
    steps: list[Mapping[str, Any]], *, folder: str, scratch: str, env: Mapping[str, str], context: Mapping[str, str]
) -> Ran:
    """Runs the steps that have a script, until one fails. `context` fills in `${{ ... }}`, as do earlier outputs."""
    known = dict(context)
    files = {name: os.path.join(scratch, name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        with open(file, "w", encoding="utf-8"):
            pass
    log, code = "", 0
    for step in steps:
        if "run" not in step:
            continue
        mine = {name: filled(value, known) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filled(step["run"], known)],
            cwd=filled(step.get("working-directory", folder), known),
            env={**env, **files, **mine},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log += done.stdout
        code = done.returncode
        with open(files["GITHUB_OUTPUT"], "r+", encoding="utf-8") as stream:
            for line in stream.read().splitlines():
                name, _, value = line.partition("=")
                known[f"steps.{step.get('id', '')}.outputs.{name}"] = value
            stream.truncate(0)
        if code:
            break
    with open(files["GITHUB_STEP_SUMMARY"], encoding="utf-8") as stream:
        summary = stream.read()
    outputs = {
        name.removeprefix("steps.").replace(".outputs.", "."): value
        for name, value in known.items()
        if name.startswith("steps.")
    }
    return Ran(code, outputs, summary, log)


def filled(text: str, known: Mapping[str, str]) -> str:
    """The text with each `${{ name }}` replaced. KeyError where the runner would put nothing."""
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda found: known[found[1]], text)
