"""Values in rendered files: whatever characters they hold, the file says them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import example, given
from hypothesis import strategies as st

from mlplan.errors import Refusal
from mlplan.render import escape
from mlplan.render.engine import render

ANY_TEXT = st.text()
ONE_LINE = st.text(st.characters(exclude_characters="\n\r\0"))
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(ANY_TEXT)
def test_a_text_in_yaml_is_read_back(value: str) -> None:
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        return
    written = escape.yaml(value)

    assert "\n" not in written
    assert pyyaml.safe_load(f"- {written}\n") == [value]
    assert pyyaml.safe_load(f"{written}: 1\n") == {value: 1}


@given(VALUES)
@example(1e-05)
@example([1e16])
def test_a_value_in_yaml_is_read_back(value: Any) -> None:
    if any(0xD800 <= ord(c) < 0xE000 for c in repr(value)) or "\\ud" in repr(value):
        return

    assert pyyaml.safe_load(f"key: {escape.yaml(value)}\n") == {"key": value}


@pytest.mark.parametrize(
    "word", ["yes", "No", "null", "on", "1.10", "010", "1e3", "", "~", "- a", "a: b", "#", "=", "1:30"]
)
def test_words_that_yaml_takes_for_something_else_stay_text(word: str) -> None:
    assert pyyaml.safe_load(f"key: {escape.yaml(word)}\n") == {"key": word}


def test_plain_words_stay_plain() -> None:
    assert escape.yaml("train.py") == "train.py"
    assert escape.yaml("DatasetConsumptionConfig:x") == '"DatasetConsumptionConfig:x"'


@given(st.lists(ANY_TEXT))
def test_the_exec_form_is_a_json_array_on_one_line(words: list[str]) -> None:
    written = escape.exec_form(words)

    assert "\n" not in written
    assert json.loads(written) == words


@given(ONE_LINE)
def test_a_shell_word_is_one_word(value: str) -> None:
    assert shlex.split(escape.shell(value)) == [value]


@given(ONE_LINE)
def test_a_quoted_value_ends_where_it_should(value: str) -> None:
    written = escape.quoted(value)

    assert written[0] == written[-1] == '"'
    inside = written[1:-1]
    assert not re.search(r'(?<!\\)(\\\\)*["$]', inside)
    assert re.sub(r"\\(.)", r"\1", inside) == value


@given(ANY_TEXT)
def test_a_comment_stays_on_its_line(value: str) -> None:
    assert len(f"# {escape.comment(value)}".splitlines()) == 1


@pytest.mark.parametrize("name", ["python:3.11", "a/b:c", "host:5000/a@sha256:" + "0" * 64])
def test_names_of_images_pass(name: str) -> None:
    assert escape.image(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a\nRUN evil", "$X", "a@sha256:12", "-a", "a AS b"])
def test_what_is_no_name_of_an_image_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name of an image"):
        escape.image(name)


def test_a_value_that_can_not_stand_in_its_place_is_told() -> None:
    with pytest.raises(Refusal, match=r"MLP6002.*line break"):
        render("docker/labels.j2", title="a\nb", project="p", address="a", revision="")


def test_a_template_can_print_nothing_that_is_not_escaped() -> None:
    from mlplan.render.engine import _environment

    with pytest.raises(TypeError, match="without a filter"):
        _environment().from_string("{{ value }}").render(value="x")
