"""The lock file's text: what is written is read, and what isn't a lock is refused at its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.lock.lockfile import format_lock, parse, read, write
from mlplan.lock.types import EMPTY, Lock, LockedEnvironment, LockedUrl
from mlplan.source import Span

A, B = "a" * 64, "b" * 64
LOCK = Lock(
    {
        B: LockedEnvironment(B, "3.12", ()),
        A: LockedEnvironment(
            A,
            "3.11",
            (
                "joblib==1.4.2 --hash=sha256:11 --hash=sha256:22",
                "numpy==2.2.6 ; sys_platform == 'linux' --hash=sha256:33",
                "numpy==2.3.0 ; sys_platform != 'linux' --hash=sha256:44",
                "own @ https://host.example/own-1.0-py3-none-any.whl --hash=sha256:55",
            ),
        ),
    },
    {"https://host.example/d/${{ secret.k }}/x.gz": LockedUrl("https://host.example/d/${{ secret.k }}/x.gz", 12, B)},
)
TEXT = f"""\
# mlplan.lock: what the manifest leaves open, pinned. Written by `mlplan lock`; commit it with mlplan.yaml.
format 1
environment {A} python 3.11
environment {B} python 3.12
package aaaaaaaaaaaaaaaa joblib==1.4.2 --hash=sha256:11 --hash=sha256:22
package aaaaaaaaaaaaaaaa numpy==2.2.6 ; sys_platform == 'linux' --hash=sha256:33
package aaaaaaaaaaaaaaaa numpy==2.3.0 ; sys_platform != 'linux' --hash=sha256:44
package aaaaaaaaaaaaaaaa own @ https://host.example/own-1.0-py3-none-any.whl --hash=sha256:55
url https://host.example/d/${{{{ secret.k }}}}/x.gz size 12 sha256 {B}
"""


def refusal(text: str) -> tuple[str, Span | None, str]:
    with pytest.raises(Refusal) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.hint
    return diagnostic.code, diagnostic.span, diagnostic.detail


def test_one_entry_is_one_line_and_the_lines_are_sorted() -> None:
    assert format_lock(LOCK) == TEXT


def test_what_is_written_is_read_in_any_order_of_lines_and_with_other_line_ends() -> None:
    assert parse(TEXT) == LOCK
    header, form, *entries = TEXT.splitlines()
    assert parse("\r\n".join([header, form, *reversed(entries)])) == LOCK


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\nformat 1\n"])
def test_an_empty_file_is_an_empty_lock(text: str) -> None:
    assert parse(text) == EMPTY


def test_a_union_merge_of_new_entries_is_fine() -> None:
    url = f"url https://host.example/y size 3 sha256 {A}\n"
    assert parse(TEXT + url + url).urls.keys() == {*LOCK.urls, "https://host.example/y"}


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> branch", "||||||| base"])
def test_marks_of_a_conflict_are_refused_at_their_line(mark: str) -> None:
    code, span, _ = refusal(f"{TEXT}{mark}\n")
    assert (code, span) == ("MLP1102", Span("mlplan.lock", 10, 1, 10, len(mark) + 1))


def test_a_newer_format_is_refused() -> None:
    code, span, detail = refusal("# x\nformat 2\nsomething else\n")
    assert (code, span) == ("MLP1103", Span("mlplan.lock", 2, 1, 2, 9))
    assert detail == "This mlplan.lock has format 2; this version of mlplan reads formats up to 1."


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("hello world", "This is no entry of a lock file."),
        ("environment abc python 3.11", "An environment here reads `environment DIGEST python VERSION`."),
        (f"environment {A} python 3.9", "This environment is listed twice, differently."),
        ("package aaaaaaaaaaaaaaaa", "A package here reads `package ENVIRONMENT NAME==VERSION`."),
        ("package cccccccccccccccc six==1", "This package belongs to the environment cccccccccccccccc, not listed."),
        (f"url https://h/x size -1 sha256 {A}", "A URL here reads `url URL size BYTES sha256 DIGEST`."),
        (f"url https://h/x size 1 sha256 {A[1:]}", "A URL here reads `url URL size BYTES sha256 DIGEST`."),
        (
            f"url https://host.example/d/${{{{ secret.k }}}}/x.gz size 13 sha256 {B}",
            "This URL is listed twice, with different content.",
        ),
    ],
)
def test_a_line_that_says_nothing_or_contradicts_is_refused(line: str, detail: str) -> None:
    code, span, said = refusal(f"{TEXT}{line}\n")
    assert (code, said) == ("MLP1101", detail)
    assert span is not None
    assert span.line == 10


def test_two_versions_for_the_same_platforms_are_refused() -> None:
    code, span, detail = refusal(TEXT + "package aaaaaaaaaaaaaaaa joblib==1.4.3 --hash=sha256:66\n")
    assert (code, span) == ("MLP1101", Span("mlplan.lock", 5, 1, 5, 2))
    assert detail == "The environment that begins here pins joblib twice: two branches upgraded it differently."


def test_entries_before_the_format_are_refused() -> None:
    assert refusal(f"environment {A} python 3.11\nformat 1\n")[:2] == (
        "MLP1101",
        Span("mlplan.lock", 1, 1, 1, 89),
    )
    assert refusal("package aaaaaaaaaaaaaaaa six==1\n")[0] == "MLP1101"


def test_the_file_is_written_whole_and_left_alone_when_nothing_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "mlplan.lock")
    assert read(path) == EMPTY
    write(path, LOCK)
    assert read(path) == LOCK
    before = os.stat(path).st_ino
    write(path, LOCK)
    assert os.stat(path).st_ino == before
    write(path, EMPTY)
    assert read(path) == EMPTY
    assert os.listdir(tmp_path) == ["mlplan.lock"]


def test_bytes_that_are_no_text_are_refused_at_their_line(tmp_path: Path) -> None:
    path = tmp_path / "mlplan.lock"
    path.write_bytes(b"format 1\n\xff\n")
    with pytest.raises(Refusal) as caught:
        read(str(path))
    assert caught.value.diagnostics[0].span == Span("mlplan.lock", 2, 1, 2, 2)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    for act in (read, lambda path: write(path, LOCK)):
        with pytest.raises(Refusal):
            act(str(tmp_path))
    assert os.listdir(tmp_path) == []
