"""The table of codes: complete, and what its pages show is true."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from mlplan import codes
from mlplan.address import parse_address
from mlplan.codes.pages import examples, read_pages
from mlplan.diagnostics import Label
from mlplan.manifest.load import load
from mlplan.source import Span

EVERY = list(codes.every_code())
MANIFEST = [entry.code for entry in EVERY if entry.code.startswith(("MLP10", "MLP2", "MLP3"))]
WITHOUT_EXAMPLES = {
    "MLP1001": "there is no file",
    "MLP1002": "the file can't be read",
    "MLP1003": "a page is UTF-8",
    "MLP1014": "can't be seen on a page",
    "MLP1015": "lies in another file",
    "MLP1020": "lies on the command line or in the environment",
    "MLP3205": "lies on the command line",
    "MLP3207": "lies on the command line",
    "MLP3308": "lies on the disk",
}
FILES = {
    **dict.fromkeys(("scripts/train.py", "scripts/score.py", "data.csv", "model.pkl", "requirements.txt"), ""),
    "scripts/python2.py": "print 'trained'\n",
    "testdata.json": '{"data": [[1]]}\n',
    "golden.jsonl": '{"request": {"data": [[1]]}}\n{"request": {"data": [[2]]}}\n',
}
"""The files that every page may name."""


def test_each_entry_stands_under_its_own_name_in_the_module_of_its_phase() -> None:
    for number, phase in enumerate(codes.PHASES, start=1):
        module = importlib.import_module(f"mlplan.codes.{phase}")
        entries = {name: value for name, value in vars(module).items() if isinstance(value, codes.Code)}
        assert [name for name, entry in entries.items() if name != entry.code] == []
        assert [name for name in entries if name[3] != str(number)] == []


def test_summaries_are_short_and_told_apart() -> None:
    summaries = [entry.summary for entry in EVERY]
    assert [summary for summary in summaries if len(summary) > 60 or summary.endswith(".")] == []
    assert sorted(summaries) == sorted(set(summaries))


@pytest.mark.parametrize("code", [entry.code for entry in EVERY])
def test_each_page_says_what_why_and_what_to_do(code: str) -> None:
    text = codes.page(code)
    assert "\n\nWhy: " in text
    assert "\n\nWhat to do:" in text


def test_no_page_without_an_entry() -> None:
    known = {entry.code for entry in EVERY}
    assert [code for phase in codes.PHASES for code in read_pages(phase) if code not in known] == []


@pytest.mark.parametrize("code", [code for code in MANIFEST if code not in WITHOUT_EXAMPLES])
def test_the_broken_example_is_broken_so_and_the_mended_one_is_fine(code: str, tmp_path: Path) -> None:
    shown = examples(codes.page(code))
    assert shown is not None
    assert _codes_of(shown.broken, tmp_path) == [code]
    assert _codes_of(shown.mended, tmp_path) == []


def _codes_of(manifest: str, folder: Path) -> list[str]:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "mlplan.yaml").write_text(manifest)
    loaded = load(str(folder / "mlplan.yaml"), environ={})
    return [diagnostic.code for diagnostic in loaded.diagnostics]


def test_lookup_knows_codes_and_nothing_else() -> None:
    found = codes.lookup("MLP9001")
    assert found is not None
    assert found.summary == "Bug in mlplan"
    for word in ("MLP9999", "MLP0001", "MLP", "mlp9001", "MLP90010", "MLP9ooo", "run.train"):
        assert codes.lookup(word) is None


def test_page_of_an_unknown_code() -> None:
    with pytest.raises(KeyError):
        codes.page("MLP9999")


def test_a_diagnostic_carries_what_belongs_to_its_code() -> None:
    label = Label(Span("mlplan.yaml", 1, 2, 1, 3), "here")
    address = parse_address("run.train")
    made = codes.Code("MLP3999", "Something").diagnostic("Detail.", hint="Do.", labels=[label], address=address)
    assert made == ("MLP3999", "error", "Something", "Detail.", "Do.", (label,), ("run", "train"))
    softer = codes.Code("MLP3999", "Something").diagnostic("Detail.", severity="note")
    assert softer.severity == "note"
