"""Who shows an apply while it goes on, and has its hints work as typed."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlplan.cli.globals import colour_wanted, width
from mlplan.cli.problems import spelled
from mlplan.cli.streams import patient
from mlplan.events import DiagnosticRaised
from mlplan.views.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlplan.address import Address
    from mlplan.events import Emit, Event
    from mlplan.manifest.resolved import Manifest
    from mlplan.views.console import ConsoleView
    from mlplan.views.events_json import JsonLinesView
    from mlplan.views.plain import PlainView
    from mlplan.views.progress import Call


def requests_of(manifest: Manifest) -> dict[Address, str]:
    """A file with a request for each deployment that has one among its tests, from where the user is."""
    return {
        address: os.path.relpath(os.path.join(manifest.root, test["request"]))
        for address, resource in manifest.resources.items()
        if address.kind == "deployment"
        for test in (resource.spec.get("test") or ())[::-1]
        if test.get("request")
    }


@contextmanager
def view_of(form: str, addresses: Sequence[Address], called: Call) -> Iterator[Emit]:
    """Who shows the events: JSON lines on stdout, a live tree on a terminal, plain lines elsewhere. Hints that say to
    apply again name the command that is at work, which may be one on chosen addresses, or a destroy."""
    progress, lock = Progress(called), threading.Lock()
    with _view(form, addresses, called) as view:

        def show_event(event: Event) -> None:
            with lock:
                progress.take(event, 0.0)
                if isinstance(event, DiagnosticRaised):
                    event = DiagnosticRaised(*spelled([event.diagnostic], progress.command))
                view(event)

        yield show_event


def _view(form: str, addresses: Sequence[Address], called: Call) -> JsonLinesView | ConsoleView | PlainView:
    if form == "json":
        from mlplan.views.events_json import JsonLinesView

        return JsonLinesView(
            patient(sys.stdout), now=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), call=called
        )
    terminal = sys.stderr.isatty()
    if terminal and os.environ.get("TERM") != "dumb":
        from mlplan.views.console import ConsoleView

        return ConsoleView(patient(sys.stderr), colour=colour_wanted(terminal), addresses=addresses, call=called)
    from mlplan.views.plain import PlainView

    return PlainView(patient(sys.stderr), width=width(), colour=colour_wanted(terminal), call=called)
