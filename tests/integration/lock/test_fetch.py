"""Downloads against a server that breaks off, is busy, ignores ranges, changes content or packs it."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.dataset.fetch import Download, Patience, fetch_all
from mlplan.kinds.dataset.part import Part
from mlplan.lock.types import LockedUrl

from .unreliable_server import Asked, Handler, Server, cut, ranged, refused, running, whole

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83"
HURRY = Patience(tries=3, first_pause_s=0.0, longest_pause_s=5.0, connect_s=2.0, silence_s=5.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def locked(url: str, content: bytes = CONTENT) -> LockedUrl:
    return LockedUrl(url, len(content), hashlib.sha256(content).hexdigest())


def fetch(url: str, target: Path, pinned: LockedUrl | None = None) -> LockedUrl:
    return fetch_all([Download(url, str(target), pinned)], patience=HURRY)[0]


def refusal(url: str, target: Path, pinned: LockedUrl | None = None) -> tuple[str, str]:
    """The code and the detail of the one diagnostic that a download ends with."""
    with pytest.raises(Refusal) as caught:
        fetch(url, target, pinned)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.hint
    return diagnostic.code, diagnostic.detail


def test_what_is_fetched_is_told_by_size_and_digest(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", whole(CONTENT))
    assert fetch(url, tmp_path / "data.bin") == LockedUrl(url, 1048576, DIGEST)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert not (tmp_path / "data.bin.part").exists()


def test_after_a_break_the_rest_is_asked_for_and_nothing_else(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v1"'), ranged(CONTENT, '"v1"'))
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST
    assert server.asked_for("range") == [None, "bytes=300000-"]
    assert server.asked_for("if-range") == [None, '"v1"']


def test_an_earlier_process_left_a_part_that_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", *[cut(CONTENT, 300_000, ETag='"v1"')] * 2, refused(404))
    refusal(url, tmp_path / "data.bin")
    assert (tmp_path / "data.bin.part").stat().st_size == 300_000
    server.asked.clear()
    server.answer("/data.bin", ranged(CONTENT, '"v1"'))
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST
    assert server.asked_for("range") == ["bytes=300000-"]


def test_a_server_that_ignores_ranges_is_asked_for_all_again(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v1"'), whole(CONTENT, ETag='"v1"'))
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_content_that_changed_in_between_is_begun_anew(server: Server, tmp_path: Path) -> None:
    new = CONTENT[::-1]
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v1"'), ranged(new, '"v2"'))
    fetch(url, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == new


def test_without_a_validator_an_unpinned_download_is_begun_anew(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 300_000), whole(CONTENT))
    fetch(url, tmp_path / "data.bin")
    assert server.asked_for("range") == [None, None]


def test_a_weak_etag_is_no_reason_to_ask_for_the_rest(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='W/"v1"'), whole(CONTENT))
    fetch(url, tmp_path / "data.bin")
    assert server.asked_for("range") == [None, None]


def test_a_pinned_download_goes_on_without_a_validator_and_begins_anew_where_the_halves_dont_fit(
    server: Server, tmp_path: Path
) -> None:
    old = b"x" * len(CONTENT)
    url = server.answer("/data.bin", cut(old, 300_000), ranged(CONTENT, '"v"'), ranged(CONTENT, '"v"'))
    assert fetch(url, tmp_path / "data.bin", locked(url)).sha256 == DIGEST
    assert server.asked_for("range") == [None, "bytes=300000-", None]


def test_the_rest_of_something_longer_is_not_taken(server: Server, tmp_path: Path) -> None:
    def other(handler: Handler, asked: Asked) -> None:
        handler.head(206, Content_Length=3, Content_Range="bytes 300000-300002/300003")
        handler.wfile.write(b"abc")

    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v1"'), other, whole(CONTENT))
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST


def test_a_busy_server_is_asked_again_when_it_says(server: Server, tmp_path: Path) -> None:
    url = server.answer(
        "/data.bin",
        refused(503, Retry_After=0),
        refused(429, Retry_After=formatdate(time.time() - 5, usegmt=True)),
        whole(CONTENT),
    )
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST
    assert len(server.asked) == 3


def test_a_server_that_asks_for_too_long_a_pause_is_given_up(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", refused(503, Retry_After=3600))
    code, detail = refusal(url, tmp_path / "data.bin")
    assert (code, detail) == (
        "MLP7102",
        f"{url}: the server answered 503 Service Unavailable, and asks to wait for 3600 s.",
    )


def test_a_server_that_breaks_off_each_time_is_given_up(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 1000))
    code, detail = refusal(url, tmp_path / "data.bin")
    assert code == "MLP7102"
    assert detail == f"{url}: the connection broke off. Tried 3 times; 1,000 bytes are there."


def test_each_step_forward_gives_new_patience(server: Server, tmp_path: Path) -> None:
    def a_little_more(handler: Handler, asked: Asked) -> None:
        begin = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        span = f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}"
        status = 206 if begin else 200
        handler.head(status, Content_Length=len(CONTENT) - begin, ETag='"v"', Content_Range=span)
        handler.wfile.write(CONTENT[begin : begin + 110_000])
        handler.wfile.flush()
        handler.close_connection = True

    url = server.answer("/data.bin", a_little_more)
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST
    assert len(server.asked) == 10


def test_other_content_than_locked_is_refused_with_both_digests_and_not_kept(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", whole(b"other"))
    code, detail = refusal(url, tmp_path / "data.bin", locked(url))
    assert code == "MLP7104"
    assert f"sha256 {DIGEST}, 1,048,576 bytes" in detail
    assert "sha256 d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa, 5 bytes" in detail
    assert list(tmp_path.iterdir()) == []


def test_a_target_with_its_locked_content_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", refused(500))
    (tmp_path / "data.bin").write_bytes(CONTENT)
    assert fetch(url, tmp_path / "data.bin", locked(url)) == locked(url)
    assert server.asked == []


def test_a_target_that_was_damaged_is_fetched_again(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", ranged(CONTENT, '"v"'))
    fetch(url, tmp_path / "data.bin")
    (tmp_path / "data.bin").write_bytes(b"x" * len(CONTENT))
    fetch(url, tmp_path / "data.bin", locked(url))
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    (tmp_path / "data.bin").write_bytes(b"x" * len(CONTENT))
    fetch(url, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_what_is_whole_but_not_locked_yet_is_only_asked_whether_it_changed(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", ranged(CONTENT, '"v"'))
    first = fetch(url, tmp_path / "data.bin")
    assert fetch(url, tmp_path / "data.bin") == first
    assert server.asked_for("if-none-match") == [None, '"v"']
    server.answer("/data.bin", ranged(b"new", '"v2"'))
    assert fetch(url, tmp_path / "data.bin").size == 3


def test_a_gz_file_that_is_labelled_as_packed_stays_as_it_is_stored(server: Server, tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT, mtime=0)
    url = server.answer("/data.csv.gz", whole(packed, Content_Encoding="gzip"))
    fetch(url, tmp_path / "0")
    assert (tmp_path / "0").read_bytes() == packed
    assert server.asked_for("accept-encoding") == ["identity"]


def test_a_file_that_is_packed_on_the_way_against_the_request_is_unpacked(server: Server, tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT, mtime=0)
    url = server.answer(
        "/data.csv", cut(packed, 500, Content_Encoding="gzip", ETag='"v"'), whole(packed, Content_Encoding="gzip")
    )
    assert fetch(url, tmp_path / "data.csv") == LockedUrl(url, 1048576, DIGEST)
    assert server.asked_for("range") == [None, None]


def test_an_encoding_that_cant_be_unpacked_is_refused(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.csv", whole(b"?", Content_Encoding="br"))
    assert refusal(url, tmp_path / "data.csv")[0] == "MLP7101"


def test_without_a_length_all_that_comes_counts(server: Server, tmp_path: Path) -> None:
    def unbounded(handler: Handler, asked: Asked) -> None:
        handler.head(200, Connection="close")
        handler.wfile.write(CONTENT)
        handler.close_connection = True

    url = server.answer("/data.bin", unbounded)
    assert fetch(url, tmp_path / "data.bin").sha256 == DIGEST


def test_redirects_are_followed_and_circles_refused(server: Server, tmp_path: Path) -> None:
    there = server.answer("/there.bin", whole(CONTENT))
    here = server.answer("/here.bin", refused(302, Location=there))
    assert fetch(here, tmp_path / "data.bin") == LockedUrl(here, 1048576, DIGEST)
    circle = server.answer("/circle.bin", refused(302, Location="/circle.bin"))
    assert refusal(circle, tmp_path / "circle.bin")[0] == "MLP7101"


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "404 Not Found: there is no such file"), (403, "403 Forbidden"), (401, "401 Unauthorized")],
)
def test_a_refusing_server_is_not_asked_twice(server: Server, tmp_path: Path, status: int, said: str) -> None:
    url = server.answer("/data.bin", refused(status))
    assert refusal(url, tmp_path / "data.bin") == ("MLP7101", f"{url}: the server answered {said}.")
    assert len(server.asked) == 1


def test_secrets_of_a_url_are_in_no_message_and_no_entry(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", refused(404))
    signed = url.replace("://", "://ann:canary@") + "?sig=canary&se=2030&v=2"
    _, detail = refusal(signed, tmp_path / "data.bin")
    assert detail == f"{url}?v=2: the server answered 404 Not Found: there is no such file."
    server.answer("/data.bin", whole(b"x"))
    assert fetch(signed, tmp_path / "data.bin").url == f"{url}?v=2"
    assert "canary" not in "".join(path.read_text() for path in tmp_path.iterdir())
    assert server.asked[-1].path == "/data.bin?sig=canary&se=2030&v=2"


def test_a_host_that_isnt_there_is_said_so(tmp_path: Path) -> None:
    with running() as gone:
        url = gone.answer("/data.bin", refused(500))
    code, detail = refusal(url, tmp_path / "data.bin")
    assert (code, detail) == (
        "MLP7102",
        f"{url}: nothing listens at that host and port. Tried 3 times; 0 bytes are there.",
    )
    code, detail = refusal("http://no-such-host.invalid/x", tmp_path / "x")
    assert code == "MLP7102"
    assert "the host's name is not known" in detail


def test_no_tls_where_tls_is_asked_for(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", whole(b"x")).replace("http://", "https://")
    assert refusal(url, tmp_path / "data.bin")[0] == "MLP7103"
    assert server.asked == []


def test_a_folder_that_cant_be_written_is_said_so(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", whole(CONTENT))
    (tmp_path / "data.bin.part").mkdir()
    assert refusal(url, tmp_path / "data.bin")[0] == "MLP7105"


def test_a_disk_without_the_space_is_told_before_anything_is_written(server: Server, tmp_path: Path) -> None:
    def huge(handler: Handler, asked: Asked) -> None:
        handler.head(200, Content_Length=10**18)
        handler.close_connection = True

    url = server.answer("/data.bin", huge)
    code, detail = refusal(url, tmp_path / "data.bin")
    assert code == "MLP7105"
    assert detail.startswith(f"{url}: 1,000,000,000,000,000,000 bytes are to come")


def test_a_full_disk_is_said_so(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(part: Part, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Part, "write", full)
    url = server.answer("/data.bin", whole(CONTENT))
    code, detail = refusal(url, tmp_path / "data.bin")
    assert (code, detail) == ("MLP7105", f"{url}: the disk that holds {tmp_path} is full.")


def test_several_go_on_side_by_side_and_all_failures_are_told(server: Server, tmp_path: Path) -> None:
    meeting = threading.Barrier(4, timeout=20)

    def together(handler: Handler, asked: Asked) -> None:
        meeting.wait()
        whole(asked.path.encode())(handler, asked)

    urls = [server.answer(f"/{name}", together) for name in "abcd"]
    found = fetch_all([Download(url, str(tmp_path / url[-1])) for url in urls], patience=HURRY)
    assert [entry.url for entry in found] == urls
    assert (tmp_path / "c").read_bytes() == b"/c"

    bad = [server.answer(f"/{name}", refused(404)) for name in ("x", "y")]
    good = server.answer("/z", whole(b"z"))
    with pytest.raises(Refusal) as caught:
        fetch_all([Download(url, str(tmp_path / url[-1])) for url in [*bad, good]], patience=HURRY)
    assert len(caught.value.diagnostics) == 2
    assert (tmp_path / "z").exists()


def test_progress_begins_where_the_part_ends(server: Server, tmp_path: Path) -> None:
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v1"'), ranged(CONTENT, '"v1"'))
    told: list[tuple[str, int, int | None]] = []
    fetch_all(
        [Download(url, str(tmp_path / "data.bin"))],
        on_progress=lambda name, done, total: told.append((name, done, total)),
        patience=HURRY,
    )
    assert {(name, total) for name, _, total in told} == {(url, 1048576)}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[0][1] == 0
    assert (url, 300_000, 1048576) in told
    assert told[-1][1] == 1048576


def test_stopped_in_the_middle_it_keeps_what_came(server: Server, tmp_path: Path) -> None:
    stop = threading.Event()
    url = server.answer("/data.bin", cut(CONTENT, 300_000, ETag='"v"'), refused(503, Retry_After=4))
    with pytest.raises(Refusal) as caught:
        fetch_all(
            [Download(url, str(tmp_path / "data.bin"))],
            on_progress=lambda name, done, total: stop.set() if done > 250_000 else None,
            stop=stop,
            patience=HURRY,
        )
    assert caught.value.exit_code == ExitCode.INTERRUPTED
    assert caught.value.diagnostics[0].code == "MLP7106"
    assert (tmp_path / "data.bin.part").stat().st_size > 250_000


INTERRUPTED = """
import sys
from mlplan.kinds.dataset.fetch import Download, fetch_all
def on_progress(name, done, total):
    if done:
        print("on its way", flush=True)
try:
    fetch_all([Download(sys.argv[1], sys.argv[2])], on_progress=on_progress)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_leaves_a_part_that_can_be_gone_on_with(server: Server, tmp_path: Path) -> None:
    go_on = threading.Event()

    def half(handler: Handler, asked: Asked) -> None:
        handler.head(200, Content_Length=len(CONTENT), ETag='"v"')
        handler.wfile.write(CONTENT[:300_000])
        handler.wfile.flush()
        go_on.wait(20)
        handler.wfile.write(CONTENT[300_000:300_001])

    url = server.answer("/data.bin", half, ranged(CONTENT, '"v"'))
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, url, str(tmp_path / "data.bin")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "on its way\n"
    process.send_signal(signal.SIGINT)
    go_on.set()
    said, _ = process.communicate(timeout=20)
    assert said == "interrupted\n"
    assert process.returncode == 0
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert 262_144 <= kept <= 300_001
    fetch(url, tmp_path / "data.bin")
    assert server.asked_for("range") == [None, f"bytes={kept}-"]
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
