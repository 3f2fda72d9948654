"""The text of the one comment: marked, and never too long."""

from __future__ import annotations

import pytest

from mlplan.ci.comment import LONGEST, Unavailable, body_of, forge_of, marker


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("./mlplan.yaml ", "<!-- mlplan ./mlplan.yaml -->"),
        ("ml/mlplan.yaml prod", "<!-- mlplan ml/mlplan.yaml prod -->"),
        ("a-->b<script>\nc", "<!-- mlplan a__b_script__c -->"),
    ],
)
def test_the_marker_is_one_line_that_a_reader_doesnt_see(name: str, line: str) -> None:
    assert marker(name) == line


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert body_of("all is well\n", "x") == "<!-- mlplan x -->\nall is well\n"


def test_a_text_that_is_too_long_is_cut_at_a_line() -> None:
    body = body_of("a line of twenty-five é\n" * 4000, "x")
    assert len(body) <= LONGEST
    assert body.endswith("a line of twenty-five é\n\n*Cut here; all of it stands in the summary of the job.*\n")


def test_outside_of_a_forge_there_is_nothing_to_post_to() -> None:
    with pytest.raises(Unavailable):
        forge_of({})
    with pytest.raises(Unavailable):
        forge_of({"CI_API_V4_URL": "http://forge", "MLPLAN_COMMENT_TOKEN": "x"})
