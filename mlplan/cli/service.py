"""`mlplan service ...`: what serves, its log, its keys, and one question to it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.named import of_name
from mlplan.cli.project import Records, open_project, open_records, recorded_targets
from mlplan.cli.writing import writing
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.elsewhere import elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.deployment.keys import Which
    from mlplan.state.records import Recorded, State
    from mlplan.targets.protocols import Services
    from mlplan.world import ObservedService


def list_services(options: Globals, form: str) -> ExitCode:
    """Every service: its state as it is now, what it serves, where."""
    records = open_records(options)
    state = records.workspace.log.read()
    from mlplan.views.services import services

    say(services(state, observed(records, state), form=form))
    return ExitCode.OK


def show(options: Globals, name: str, form: str) -> ExitCode:
    """One service in full."""
    records, state, recorded = find(options, name)
    seen = seen_from_here(records, state, recorded)
    from mlplan.views.services import service

    say(service(recorded, seen, form=form, stopped=state.stopped.get(recorded.address)))
    return ExitCode.OK


def logs(options: Globals, name: str, follow: bool) -> ExitCode:
    """The log of a service, to stdout; of one that never went live, that of its last candidate."""
    records = open_records(options)
    state = records.workspace.log.read()
    address = Address("deployment", name.removeprefix("deployment."))
    if address not in state.resources and (path := never_live(records, state, address.name)):
        tell(f"note: {address} never went live. This is the log of its last candidate.")
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                say(line)
        return ExitCode.OK
    recorded = state.resources[of_name("deployment", name, state.resources)]
    services = services_of(records, state, recorded)
    if path := services.refused(address.name):
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(os.path.getmtime(path)))
        tell(f"note: the candidate of {when} did not go live. Its log: {os.path.relpath(path)}")
    for line in services.logs(address.name, follow=follow):
        say(line)
    return ExitCode.OK


def never_live(records: Records, state: State, name: str) -> str:
    """The path of the log of a service's last candidate, where none of a service of this name went live yet."""
    open_target = recorded_targets(records, state)
    computes = (open_target(address.name) for address in state.resources if address.kind == "compute")
    return next((path for target in computes if (path := target.services.refused(name))), "")


def score(options: Globals, name: str, data: str) -> ExitCode:
    """Asks a service and prints its answer; 1 where it answers with an error."""
    from mlplan.kinds.deployment.ask import ask

    records, _, recorded = find(options, name)
    body = read_data(data)
    uri = str(recorded.outputs["scoring_uri"])
    answer = ask(uri.removesuffix("/score"), "/score", key=primary_key(records, recorded), body=body)
    if not 200 <= answer.status < 300:  # an entry script may choose among these
        tell(f"{uri} answered {answer.status}:")
        tell(answer.text)
        if os.path.isfile(data):
            tell(f"`{data}` is a file: to ask with what it holds, write `-d @{data}`.")
        return ExitCode.FAILED
    say(answer.text)
    return ExitCode.OK


def show_keys(options: Globals, name: str, form: str) -> ExitCode:
    """Both keys of a service."""
    from mlplan.kinds.deployment.keys import read_keys
    from mlplan.views.services import keys

    path = keys_of(options, name)
    if path:
        say(keys(read_keys(path), form=form))
    return ExitCode.OK


def rotate_key(options: Globals, name: str, which: Which) -> ExitCode:
    """Makes one of the two keys anew and shows it."""
    from mlplan.kinds.deployment.keys import rotate

    open_project(options)  # raises for a manifest with errors: this is more than reading
    path = keys_of(options, name)
    if not path:
        return ExitCode.FAILED
    say(rotate(path, which)[which])
    tell(f"The {which} key is new; within a second, requests with the old one are refused.")
    return ExitCode.OK


def keys_of(options: Globals, name: str) -> str:
    """The path of a service's keys; "" where it asks for none, which is told."""
    from mlplan.kinds.deployment.keys import keys_path

    records, _, recorded = find(options, name)
    path = keys_path(records.home, recorded.address.name)
    if primary_key(records, recorded):
        return path
    tell(f"{recorded.address} asks for no key (auth: none).")
    return ""


def data(options: Globals, name: str, export: str, form: str) -> ExitCode:
    """What a service has kept of its requests, one that is no more included: by day, or with `export` all of it, as
    JSON lines in a file."""
    import json

    from mlplan.kinds.deployment import collected

    records = open_records(options)
    state = records.workspace.log.read()
    here = [Address("deployment", known) for known in collected.names(records.home)]
    address = of_name("deployment", name, {**dict.fromkeys(here), **state.resources})
    recorded = state.resources.get(address)
    services = services_of(records, state, recorded) if recorded else None
    kept = collected.kept_files(records.home, address.name, services)
    if not export:
        from mlplan.views.services import collected_days

        say(collected_days(collected.days(kept), form=form))
        return ExitCode.OK
    with contextlib.ExitStack() as files:
        stream = sys.stdout
        if export != "-":
            files.enter_context(writing(export))
            stream = files.enter_context(open(export, "w", encoding="utf-8"))
        count = 0
        for record in collected.records(kept):
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    tell(f"{count} records{'' if export == '-' else f' in {export}'}.")
    return ExitCode.OK


def find(options: Globals, name: str) -> tuple[Records, State, Recorded]:
    """The recorded deployment of this name. Raises: Refusal with the nearest name."""
    records = open_records(options)
    state = records.workspace.log.read()
    return records, state, state.resources[of_name("deployment", name, state.resources)]


def services_of(records: Records, state: State, recorded: Recorded) -> Services:
    """The services of the target that hosts a deployment. Raises: Refusal where it serves from another checkout."""
    from mlplan.kinds.deployment.desired import host_of, out_of_reach

    open_target = recorded_targets(records, state)
    if away := out_of_reach(recorded, records.workspace.here, open_target):
        from mlplan.codes import plan as codes

        detail = f"{recorded.address} serves from {away}. What it prints and keeps is there."
        raise Refusal([codes.MLP5020.diagnostic(detail, hint="Ask there.", address=recorded.address)])
    return host_of(recorded, open_target)


def seen_from_here(records: Records, state: State, recorded: Recorded) -> ObservedService:
    """A deployed service as it is now, as far as that can be seen from here."""
    from mlplan.kinds.deployment.desired import host_of

    seen = host_of(recorded, recorded_targets(records, state)).observe(recorded.address.name)
    away = elsewhere(recorded.outputs, records.workspace.here)
    return seen._replace(state="Elsewhere", detail={"serves_from": away}) if away and seen.state == "Absent" else seen


def primary_key(records: Records, recorded: Recorded) -> str:
    """A key that the service takes; "" where it asks for none. Raises: Refusal where its keys are elsewhere."""
    from mlplan.codes import plan as codes
    from mlplan.kinds.deployment.keys import keys_path, read_keys

    auth = recorded.parts.get("auth")
    if auth is not None and auth.value == "none":
        return ""
    path = keys_path(records.home, recorded.address.name)
    if not os.path.exists(path):
        detail = f"The keys of {recorded.address} aren't in this checkout."
        raise Refusal([codes.MLP5018.diagnostic(detail, hint="ask for them where it was applied: `mlplan history`")])
    return read_keys(path)["primary"]


def read_data(data: str) -> bytes:
    """A request's body: `@FILE`, `@-` for standard input, or the text itself. Raises: Refusal for a missing file."""
    if not data.startswith("@"):
        return os.fsencode(data)
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        with open(data[1:], "rb") as stream:
            return stream.read()
    except OSError as error:
        from mlplan.codes import plan as codes

        detail = f"`{data[1:]}` can't be read: {(error.strerror or str(error)).lower()}."
        hint = "Check the path: it is relative to the folder in which mlplan runs."
        raise Refusal([codes.MLP5007.diagnostic(detail, hint=hint)]) from error


def observed(records: Records, state: State) -> Mapping[Address, ObservedService]:
    """Every deployed service as it is now."""
    return {
        address: seen_from_here(records, state, recorded)
        for address, recorded in state.resources.items()
        if address.kind == "deployment"
    }
