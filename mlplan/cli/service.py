"""`mlplan service ...`: what serves, its log, its keys, and one question to it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.named import of_name
from mlplan.cli.project import Project, open_project, target_opener
from mlplan.errors import ExitCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.deployment.keys import Which
    from mlplan.state.records import Recorded, State
    from mlplan.targets.protocols import Services
    from mlplan.world import ObservedService


def list_services(options: Globals, form: str) -> ExitCode:
    """Every service: its state as it is now, what it serves, where."""
    project = open_project(options)
    state = project.workspace.log.read()
    from mlplan.views.records import services

    say(services(state, observed(project, state), form=form))
    return ExitCode.OK


def show(options: Globals, name: str, form: str) -> ExitCode:
    """One service in full."""
    project, state, recorded = find(options, name)
    seen = services_of(project, state, recorded).observe(recorded.address.name)
    from mlplan.views.records import service

    say(service(recorded, seen, form=form))
    return ExitCode.OK


def logs(options: Globals, name: str, follow: bool) -> ExitCode:
    """The log of a service, to stdout."""
    project, state, recorded = find(options, name)
    for line in services_of(project, state, recorded).logs(recorded.address.name, follow=follow):
        say(line)
    return ExitCode.OK


def score(options: Globals, name: str, data: str) -> ExitCode:
    """Asks a service and prints its answer; 1 where it answers with an error."""
    from mlplan.kinds.deployment.ask import ask

    project, _, recorded = find(options, name)
    body = read_data(data)
    uri = str(recorded.outputs["scoring_uri"])
    answer = ask(uri.removesuffix("/score"), "/score", key=primary_key(project, recorded), body=body)
    if answer.status != 200:
        tell(f"{uri} answered {answer.status}:")
        tell(answer.text)
        return ExitCode.FAILED
    say(answer.text)
    return ExitCode.OK


def keys(options: Globals, name: str, rotate: str) -> ExitCode:
    """Shows the keys of a service; with `rotate`, one of them is replaced first."""
    from mlplan.kinds.deployment import keys as keys_module

    project, _, recorded = find(options, name)
    path = keys_module.keys_path(project.home, recorded.address.name)
    if not os.path.exists(path):
        tell(f"{recorded.address} asks for no key (auth: none).")
        return ExitCode.OK
    if rotate:
        which: Which = "primary" if rotate == "primary" else "secondary"
        keys_module.rotate(path, which)
        tell(f"The {which} key is new; clients with the old one are refused from now on.")
    for which_key, key in keys_module.read_keys(path).items():
        say(f"{which_key}  {key}")
    return ExitCode.OK


def find(options: Globals, name: str) -> tuple[Project, State, Recorded]:
    """The recorded deployment of this name. Raises: Refusal with the nearest name."""
    project = open_project(options)
    state = project.workspace.log.read()
    return project, state, state.resources[of_name("deployment", name, state.resources)]


def services_of(project: Project, state: State, recorded: Recorded) -> Services:
    """The services of the target that hosts a deployment."""
    return target_opener(project, state)(str(recorded.outputs["compute"])).services


def primary_key(project: Project, recorded: Recorded) -> str:
    """A key that the service takes; "" where it asks for none."""
    from mlplan.kinds.deployment.keys import keys_path, read_keys

    auth = recorded.parts.get("auth")
    if auth is not None and auth.value == "none":
        return ""
    path = keys_path(project.home, recorded.address.name)
    return read_keys(path)["primary"] if os.path.exists(path) else ""


def read_data(data: str) -> bytes:
    """A request's body: `@FILE`, `@-` for standard input, or the text itself. Raises: Refusal for a missing file."""
    if not data.startswith("@"):
        return data.encode()
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        with open(data[1:], "rb") as stream:
            return stream.read()
    except OSError as error:
        from mlplan.codes import plan as codes

        raise Refusal([codes.MLP5007.diagnostic(f"`{data[1:]}` can't be read: {error.strerror}.")]) from error


def observed(project: Project, state: State) -> Mapping[Address, ObservedService]:
    """Every deployed service as it is now."""
    return {
        address: services_of(project, state, recorded).observe(address.name)
        for address, recorded in state.resources.items()
        if address.kind == "deployment"
    }
