"""`mlplan dataset ...`, `run ...`, `model ...`: what is recorded."""

from __future__ import annotations

import os
import time

from mlplan.cli.globals import Globals, call, say, tell
from mlplan.cli.named import of_name, version_of
from mlplan.cli.project import open_records, recorded_targets
from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal


def list_versions(options: Globals, kind: str, name: str, form: str) -> ExitCode:
    """Every version of the datasets or models, or of one of them."""
    from mlplan.views.records import versions

    state = open_records(options).workspace.log.read()
    wanted = {of_name(kind, name, state.versions)} if name else {a for a in state.versions if a.kind == kind}
    say(versions(state, kind, wanted, form=form))
    return ExitCode.OK


def show_version(options: Globals, kind: str, mention: str, form: str) -> ExitCode:
    """One version in full, its files too."""
    from mlplan.views.records import version as view

    workspace = open_records(options).workspace
    state = workspace.log.read()
    address, version = version_of(kind, mention, state)
    say(view(address, version, workspace.artifacts.tree(version.digest), state.resources.get(address), form=form))
    return ExitCode.OK


def download(options: Globals, mention: str, folder: str) -> ExitCode:
    """Writes a model version's files below a folder; refuses to overwrite anything."""
    from mlplan.views.values import counted

    workspace = open_records(options).workspace
    address, version = version_of("model", mention, workspace.log.read())
    tree = workspace.artifacts.tree(version.digest)
    taken = [entry.path for entry in tree.files if os.path.exists(os.path.join(folder, entry.path))]
    if taken:
        raise Refusal([codes.MLP5006.diagnostic(f"{os.path.join(folder, taken[0])} exists already.")])
    workspace.artifacts.check_out(version.digest, folder)
    for entry in tree.files:
        say(os.path.join(folder, entry.path))
    tell(f"{address.name}:{version.number}, {counted(len(tree.files), 'file')}.")
    return ExitCode.OK


def list_runs(options: Globals, name: str, form: str) -> ExitCode:
    """Every execution, or those of one run."""
    from mlplan.views.records import runs

    state = open_records(options).workspace.log.read()
    wanted = {of_name("run", name, state.runs)} if name else set(state.runs)
    say(runs(state, wanted, form=form, now=time.time()))
    return ExitCode.OK


def show_run(options: Globals, mention: str, form: str) -> ExitCode:
    """One execution in full: the newest of a run's name, or the one of an id."""
    from mlplan.views.records import run as view

    state = open_records(options).workspace.log.read()
    by_id = {record.id: record for records in state.runs.values() for record in records}
    record = by_id.get(mention) or state.runs[of_name("run", mention, state.runs)][-1]
    say(view(record, form=form, now=time.time(), call=call()))
    return ExitCode.OK


def run_logs(options: Globals, mention: str, follow: bool) -> ExitCode:
    """What a run printed: of the execution that goes on now, of the newest one, or of the one with an id."""
    records = open_records(options)
    state = records.workspace.log.read()
    going_on = [i for i in state.intents.values() if i.address.kind == "run" and i.address.name == mention]
    for intent in going_on:
        jobs = recorded_targets(records, state)(str(intent.detail["compute"])).jobs
        if jobs.observe(intent.key).state != "Absent":
            for line in jobs.logs(intent.key, follow=follow):
                say(line)
            return ExitCode.OK
    by_id = {record.id: record for records in state.runs.values() for record in records}
    record = by_id.get(mention) or state.runs[of_name("run", mention, state.runs)][-1]
    if record.logs is None:
        tell(f"The log of run {record.id} isn't kept any more.")
        return ExitCode.OK
    text = records.workspace.artifacts.read_bytes(record.logs, "std_log.txt").decode(errors="replace")
    if text:
        say(text)
    else:
        tell(f"Run {record.id} printed nothing.")
    return ExitCode.OK
