"""Every view of a plan, an apply and a graph, held to its exact text.

    cases/<name>/plan.json         a plan, as the plan file has it; needs.json beside it: what each resource needs
    events/<name>/events.jsonl     an apply, as `apply --format json` wrote it down

All other files of these folders are what the views make of them, and only `--update-golden` writes them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from recorded_events import event_from_json

from mlplan.address import Address, parse_address
from mlplan.events import Event
from mlplan.graph import Graph, build_graph
from mlplan.views import graph as graph_view
from mlplan.views import plan_html, plan_json, plan_markdown, plan_text
from mlplan.views.console import address_column, event_lines, frame
from mlplan.views.events_json import JsonLinesView
from mlplan.views.plain import PlainView
from mlplan.views.plan_reading import plan_from_json
from mlplan.views.progress import Progress
from mlplan.views.terminal import painted

HERE = Path(__file__).parent
PLANS = sorted(path.parent for path in HERE.glob("cases/*/plan.json"))
APPLIES = sorted(path.parent for path in HERE.glob("events/*/events.jsonl"))


def _hold(folder: Path, made: dict[str, str], inputs: set[str], update: bool) -> None:
    """Compares what was made with the folder's files, or writes them; a file that nothing makes is an error."""
    if update:
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return
    assert {path.name for path in folder.iterdir()} == made.keys() | inputs, "a file that no view makes, or none yet"
    for name, text in made.items():
        with open(folder / name, encoding="utf-8", newline="") as stream:
            assert text == stream.read(), f"{folder.name}/{name}: review and write anew with --update-golden"


# -- plans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", PLANS, ids=lambda folder: folder.name)
def test_plan(folder: Path, update_golden: bool) -> None:
    plan, _, context = plan_from_json((folder / "plan.json").read_text(encoding="utf-8"))
    graph = _graph(folder)
    actions = {change.address: change.action for change in plan.changes}
    made = {
        "plan.json": plan_json.render(plan, context=context),
        "80.txt": plan_text.render(plan, width=80, colour=False, context=context),
        "120.txt": plan_text.render(plan, width=120, colour=False, context=context),
        "80.ansi": plan_text.render(plan, width=80, colour=True, context=context),
        "120.ansi": plan_text.render(plan, width=120, colour=True, context=context),
        "verbose.txt": plan_text.render(plan, width=80, colour=False, verbose=True, context=context),
        "plan.md": plan_markdown.render(plan, context=context),
        "plan.html": plan_html.render(plan, graph=graph, context=context),
    }
    inputs: set[str] = set()
    if graph is not None:
        inputs = {"needs.json"}
        made |= {f"graph.{form}": graph_view.draw(graph, actions, form=form) for form in ("svg", "dot", "mermaid")}
    _hold(folder, made, inputs, update_golden)


@pytest.mark.parametrize("folder", PLANS, ids=lambda folder: folder.name)
def test_no_line_is_wider_than_the_terminal_and_colour_adds_no_text(folder: Path) -> None:
    from mlplan.views.apply_text import log_text
    from mlplan.views.terminal import cells

    for width in (80, 120):
        plain = (folder / f"{width}.txt").read_text(encoding="utf-8")
        assert max(cells(row) for row in plain.splitlines()) <= width
        coloured = (folder / f"{width}.ansi").read_text(encoding="utf-8")
        assert "".join(f"{log_text(row)}\n" for row in coloured.splitlines()) == plain


def _graph(folder: Path) -> Graph | None:
    file = folder / "needs.json"
    if not file.exists():
        return None
    needs = json.loads(file.read_text(encoding="utf-8"))
    return build_graph({_address(name): [_address(need) for need in needs[name]] for name in needs})


def _address(text: str) -> Address:
    address = parse_address(text)
    assert address is not None
    return address


# -- applies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", APPLIES, ids=lambda folder: folder.name)
def test_apply(folder: Path, update_golden: bool) -> None:
    made = {"events.jsonl": _written_again(folder)}
    for width in (80, 120):
        made[f"plain.{width}.txt"] = _plain(folder, width, colour=False)
        made[f"console.{width}.txt"] = _console(folder, width, colour=False)
    made["plain.ansi"] = _plain(folder, 80, colour=True)
    made["console.ansi"] = _console(folder, 80, colour=True)
    _hold(folder, made, set(), update_golden)


def _lines(folder: Path) -> Iterator[tuple[str, Event]]:
    """The recorded events with their times."""
    for row in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        read = json.loads(row)
        event = event_from_json(read)
        if event is not None:
            yield read["time"], event


def _written_again(folder: Path) -> str:
    recorded = list(_lines(folder))
    times = iter([time for time, _ in recorded])
    stream = io.StringIO()
    with JsonLinesView(stream, now=times.__next__) as emit:
        for _, event in recorded:
            emit(event)
    return stream.getvalue()


def _plain(folder: Path, width: int, *, colour: bool) -> str:
    stream = io.StringIO()
    with PlainView(stream, width=width, colour=colour) as emit:
        for _, event in _lines(folder):
            emit(event)
    return stream.getvalue()


def _console(folder: Path, width: int, *, colour: bool) -> str:
    """What scrolls off, and the live region at the end of each second in which something happened, between rules."""
    recorded = [(_seconds(time), event) for time, event in _lines(folder)]
    column = address_column({str(event.address) for _, event in recorded if hasattr(event, "address")})
    progress, drawn, made = Progress(), 0.0, ""
    for at, event in recorded:
        if at - drawn >= 1:
            drawn = at
            region = painted(frame(progress, at, width, 24, column), colour=colour)
            made += f"--- {at - recorded[0][0]:.1f} s\n{region}---\n" if region else ""
        progress.take(event, at)
        made += painted(event_lines(event, progress, width, column), colour=colour)
    return made


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() % 86_400
