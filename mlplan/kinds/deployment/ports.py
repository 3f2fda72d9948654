"""Ports that another program has: told beside a plan, before a training is waited for whose service has no place.

It is a warning. The port may be free by the time the service comes up; where it isn't, its own change stops there
(`effects.py`), and what served before goes on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mlplan.address import Address
from mlplan.diagnostics import Label
from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.kinds.planning import Planned
    from mlplan.state.records import Recorded


def taken_ports(planned: Planned) -> list[Diagnostic]:
    """A warning for each service that is to come up where a program listens that is none of the project's services.
    Only reads."""
    coming = [
        c.address for c in planned.plan.changes if c.address.kind == "deployment" and not c.is_quiet and c.after
    ]
    return [
        found._replace(severity="warning", address=address, labels=(_label(address, planned),))
        for address in coming
        for found in _in_the_way(address, planned)
    ]


def _in_the_way(address: Address, planned: Planned) -> Sequence[Diagnostic]:
    declared = planned.survey.reading.manifest.resources
    spec = declared[address].spec
    host, port = str(spec["host"]), int(spec["port"])
    compute_type = declared[Address("compute", spec["compute"])].spec["type"]
    on_port = [r for r in planned.state.resources.values() if r.address.kind == "deployment" and _port(r) == port]
    if any(r.address != address or r.parts["compute type"].value != compute_type for r in on_port):
        return ()  # another service of the project's, or this one on another target: it makes room
    with suppress(Refusal):  # whether the target can be asked is for others to say
        services = planned.survey.reading.target(str(spec["compute"])).services
        return services.in_the_way(address.name, host, port)
    return ()


def _port(recorded: Recorded) -> object:
    return recorded.parts["port"].value


def _label(address: Address, planned: Planned) -> Label:
    manifest = planned.survey.reading.manifest
    place = manifest.places.get(f"{address}.port", manifest.resources[address].place)
    return Label(place, "another program listens there")
