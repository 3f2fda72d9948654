"""The views of an apply beyond their goldens: threads, the real terminal region, the ways in which an apply ends."""

from __future__ import annotations

import io
import json
import threading

import pytest
from recorded_events import event_from_json

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic, Label
from mlplan.errors import ExitCode
from mlplan.events import (
    ApplyFinished,
    ApplyStarted,
    ChangeFinished,
    ChangeStarted,
    DiagnosticRaised,
    Event,
    Outcome,
    OutputLine,
    ProgressMade,
    StageReached,
)
from mlplan.source import Span
from mlplan.views.apply_text import diagnostic_lines, log_text, next_steps, summary_lines
from mlplan.views.console import ConsoleView, address_column, frame
from mlplan.views.events_json import JsonLinesView, event_to_json
from mlplan.views.plain import PlainView
from mlplan.views.progress import Call, Progress
from mlplan.views.terminal import painted, width_of

RUN, MODEL = Address("run", "train"), Address("model", "m")


def _finished(outcome: Outcome, address: Address = RUN, action: str = "run") -> ChangeFinished:
    return ChangeFinished(address, action, outcome, 1.0, {})


@pytest.mark.parametrize(
    ("exit_code", "outcomes", "verdict"),
    [
        (ExitCode.OK, ["done"], "Applied in 2.0 s: 1 ran."),
        (ExitCode.OK, [], "Applied in 2.0 s: nothing to do."),
        (ExitCode.OK, ["done", "dropped"], "Applied in 2.0 s: 1 ran, 1 not needed."),
        (ExitCode.FAILED, ["failed", "not-started"], "Failed in 2.0 s: 1 failed, 1 not started."),
        (ExitCode.PARTIAL, ["done", "failed"], "Applied in part in 2.0 s: 1 ran, 1 failed."),
        (ExitCode.REFUSED, ["done", "failed"], "Refused by a gate in 2.0 s: 1 ran, 1 failed."),
        (ExitCode.INTERRUPTED, ["canceled"], "Interrupted in 2.0 s: 1 canceled."),
        (ExitCode.NOT_CONVERGED, ["done"], "Applied, but a plan is not empty after it in 2.0 s: 1 ran."),
    ],
)
def test_the_last_line_tells_how_it_ended(exit_code: int, outcomes: list[Outcome], verdict: str) -> None:
    progress = Progress()
    progress.take(ApplyStarted("p", 0, len(outcomes)), 0)
    for outcome in outcomes:
        progress.take(_finished(outcome), 1)
    progress.take(ApplyFinished(exit_code, 2.0, {}), 2)
    assert painted(summary_lines(progress, 100), colour=False).splitlines()[-1] == verdict


def test_what_was_cut_off_goes_on_by_the_command_that_began_it() -> None:
    progress = Progress()
    progress.take(ApplyStarted("p", 0, 1, "mlplan destroy --only deployment.digits"), 0)
    progress.take(_finished("canceled"), 1)
    assert next_steps(progress)[-1][0] == "mlplan destroy --only deployment.digits"


def test_what_was_made_anew_is_not_asked_for_again() -> None:
    progress = Progress(Call(replace=("run.train", "model.m")))
    progress.take(ApplyStarted("p", 0, 2, "mlplan apply"), 0)
    progress.take(_finished("done"), 1)
    progress.take(_finished("failed", MODEL, "register"), 1)
    assert next_steps(progress)[-1][0] == "mlplan apply --replace model.m"


def test_what_to_do_next_works_as_typed() -> None:
    progress = Progress(Call("mlplan -C demo"))
    progress.take(ChangeFinished(RUN, "run", "failed", 1.0, {}, ("no such column",)), 1)
    assert [command for command, _ in next_steps(progress)] == [
        "mlplan -C demo run logs train",
        "mlplan -C demo apply",
    ]
    progress = Progress(Call("mlplan -C demo"))
    progress.take(_finished("done", MODEL, "register"), 1)
    assert [command for command, _ in next_steps(progress)] == ["mlplan -C demo model list", "mlplan -C demo show"]


def test_a_service_is_asked_what_its_test_asks() -> None:
    service = Address("deployment", "digits")
    progress = Progress(Call("mlplan -C demo", {service: "my demo/test data.json"}))
    progress.take(_finished("done", service, "create"), 1)
    assert next_steps(progress)[0][0] == "mlplan -C demo service score digits -d '@my demo/test data.json'"


def test_a_log_that_is_empty_is_not_named() -> None:
    progress = Progress()
    progress.take(_finished("failed"), 1)
    assert [command for command, _ in next_steps(progress)] == ["mlplan apply"]


def test_a_command_to_copy_is_never_broken() -> None:
    progress = Progress(Call("mlplan -C " + "a-long-folder/" * 8))
    progress.take(ChangeFinished(RUN, "run", "failed", 1.0, {}, ("no such column",)), 1)
    rows = painted(summary_lines(progress, 60), colour=False).splitlines()
    assert rows[rows.index("Next:") + 1 : -2] == [
        "  # the whole log",
        f"  {progress.call.words} run logs train",
        "  # goes on from here; what is done stays done",
        f"  {progress.call.words} apply",
    ]
    hint = f"Go on with\n    {progress.call.words} apply"
    told = painted(diagnostic_lines(Diagnostic("MLP1", "error", "", "", hint), 60), colour=False)
    assert f"      {progress.call.words} apply" in told.splitlines()


def test_a_very_long_line_of_a_log_is_cut_in_the_summary() -> None:
    progress = Progress()
    progress.take(ChangeFinished(RUN, "run", "failed", 1.0, {}, ("x" * 100_000, "the end")), 1)
    rows = painted(summary_lines(progress, 80), colour=False).splitlines()
    assert len(rows) < 20
    assert "    │ the end" in rows


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;32mgreen\x1b[0m", "green"),
        ("10%\r50%\r100%", "100%"),
        ("done\r\n", "done"),
        ("\x1b]0;title\x07text", "text"),
        ("a\tb", "a    b"),
        ("bell\x07", "bell\\x07"),
        ("::error::not a command here", "::error::not a command here"),
    ],
)
def test_a_script_cannot_steer_the_terminal(raw: str, shown: str) -> None:
    assert log_text(raw) == shown


def test_a_scripts_line_is_never_at_the_start_of_a_line() -> None:
    stream = io.StringIO()
    with PlainView(stream) as emit:
        emit(OutputLine(RUN, "::set-output name=x::y"))
        emit(OutputLine(RUN, "two\n::warning::lines"))
    assert stream.getvalue() == "run.train | ::set-output name=x::y\nrun.train | two\\n::warning::lines\n"


def test_progress_is_told_in_tenths() -> None:
    stream = io.StringIO()
    with PlainView(stream) as emit:
        for done in range(1001):
            emit(ProgressMade(RUN, "copy", done * 1000, 1_000_000))
    assert stream.getvalue().splitlines() == [f"run.train: copy {n}0% of 1.0 MB" for n in range(1, 11)]


def test_progress_of_a_moment_is_not_told() -> None:
    stream = io.StringIO()
    with PlainView(stream) as emit:
        emit(ProgressMade(RUN, "keep", 3900, 3900))
        emit(ProgressMade(RUN, "keep", 999_999, 999_999))
    assert stream.getvalue() == ""


def test_the_region_never_outgrows_the_terminal() -> None:
    progress = Progress()
    progress.take(ApplyStarted("p", 0, 40), 0)
    for number in range(30):
        address = Address("run", f"r{number}")
        progress.take(ChangeStarted(address, "run"), 0)
        progress.take(StageReached(address, "Running", "d" * 200), 0)
        for _ in range(20):
            progress.take(OutputLine(address, "x" * 500), 0)
        progress.take(ProgressMade(address, "download " + "y" * 300, 1, 10), 0)
    for width, height in ((40, 5), (80, 24), (120, 60)):
        rows = frame(progress, 1.0, width, height, 28)
        assert len(rows) <= height - 2
        assert all(width_of(row) <= width for row in rows)


def test_the_column_of_addresses_has_bounds() -> None:
    assert address_column([]) == 16
    assert address_column(["run.a", "deployment.my"]) == 13
    assert address_column(["x" * 99]) == 28


def _replay(emit: object) -> None:
    assert callable(emit)
    emit(ApplyStarted("p", 1, 1))
    emit(ChangeStarted(RUN, "run"))
    emit(OutputLine(RUN, "epoch 1"))
    emit(ChangeFinished(RUN, "run", "done", 2.0, {"metrics": {"accuracy": 0.9}}))
    emit(ApplyFinished(0, 2.0, {"done": 1}))


def test_on_a_terminal_what_ended_stays_and_without_colour_there_is_none() -> None:
    stream = io.StringIO()
    with ConsoleView(stream, colour=False, width=60, addresses=[RUN]) as emit:
        _replay(emit)
    text = stream.getvalue()
    assert "  ✔ run.train  ran, accuracy 0.9                       2.0 s\n" in text
    assert text.endswith("\nApplied in 2.0 s: 1 ran.\n")
    assert "\x1b[3" not in text
    assert "\x1b[1m" not in text


def test_on_a_terminal_colours_are_asked_for() -> None:
    stream = io.StringIO()
    with ConsoleView(stream, colour=True, width=60, addresses=[RUN]) as emit:
        _replay(emit)
    assert "\x1b[32m✔" in stream.getvalue()


def test_events_from_many_threads_keep_lines_whole_and_numbers_in_order() -> None:
    stream = io.StringIO()
    with JsonLinesView(stream, now=lambda: "2026-03-01T12:00:00Z") as emit:

        def say(number: int) -> None:
            for _ in range(50):
                emit(OutputLine(RUN, f"{number}"))

        threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    first, *rows = [json.loads(row) for row in stream.getvalue().splitlines()]
    assert first == {"type": "version", "format_version": "1.0", "mlplan_version": first["mlplan_version"]}
    assert [row["sequence"] for row in rows] == list(range(1, 201))


SPAN = Span("mlplan.yaml", 3, 5, 3, 9)


@pytest.mark.parametrize(
    "event",
    [
        ApplyStarted("p", 1, 2),
        ChangeFinished(RUN, "run", "failed", 1.5, {"a": {"b": [1, None]}}, ("x", "y")),
        ProgressMade(RUN, "copy", 1, None),
        DiagnosticRaised(
            Diagnostic("MLP7010", "error", "s", "d", "h", (Label(SPAN, "here"), Label(SPAN, "there")), RUN)
        ),
        DiagnosticRaised(Diagnostic("MLP7010", "warning", "s", "d")),
    ],
)
def test_nothing_of_an_event_is_lost_in_its_json(event: Event) -> None:
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event
