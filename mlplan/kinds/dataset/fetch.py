"""Downloads the URLs of a dataset: side by side, gone on with after a break, checked against `mlplan.lock`.

    target missing --GET--> TARGET.part --whole, digest fits--> target
                     ^          | broken off: asked for the rest (Range, If-Range), after a pause
                     |          v
                     +--- begun anew where the server can't give the rest, or the content changed

`part.py` keeps the bytes that are there, `fetch_errors.py` has the messages. This module knows HTTP.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import httpx

from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.dataset import fetch_errors as errors
from mlplan.kinds.dataset.part import Origin, Part
from mlplan.lock.types import LockedUrl
from mlplan.lock.urls import public_url

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_BY_SIDE = 4
"""How many downloads go on at once."""

Progress = Callable[[str, int, "int | None"], None]
"""Called with a URL (nothing secret in it), the bytes that are there and how many there will be, if that is known.
Comes from several threads."""


class Download(NamedTuple):
    """A URL to fetch."""

    url: str  # as it is asked, secrets filled in
    target: str  # the absolute path of the file to write
    locked: LockedUrl | None = None  # what its content has to be; None: whatever comes first
    known_as: str = ""  # how the lock file and messages call it; "": the URL without what is secret in it

    @property
    def name(self) -> str:
        """How the lock file and messages call it."""
        return self.known_as or public_url(self.url)


class Patience(NamedTuple):
    """How long to go on trying."""

    tries: int = 5  # without a byte more than the best try before
    first_pause_s: float = 0.5  # doubles with each try
    longest_pause_s: float = 120.0  # a server that asks for more is given up
    connect_s: float = 10.0
    silence_s: float = 60.0  # without a byte


class _Again(Exception):
    """A try that broke off, for a reason that may pass."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s  # as the server asked


class _Stopped(Exception):
    """The user asked to stop."""


def fetch_all(
    downloads: Sequence[Download],
    *,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    patience: Patience = Patience(),  # noqa: B008  # immutable
) -> tuple[LockedUrl, ...]:
    """What each URL's content is, in order, once every target is in place with it.

    A target that has its locked content already isn't asked for. Where some fail, the others are still fetched, and
    all failures are told together. When `stop` is set, or on Ctrl-C (which sets it), what is there stays as `.part`
    files, and the next call goes on with them.

    Raises: Refusal (MLP71xx) for what can't be fetched or isn't what the lock says; with exit code INTERRUPTED where
    it was stopped. The folders of the targets have to exist.
    """
    fetching = _Fetching(
        downloads, on_progress or (lambda name, done, total: None), stop or threading.Event(), patience
    )
    workers = [
        threading.Thread(target=fetching.work, name=f"download {n}", daemon=True)
        for n in range(min(SIDE_BY_SIDE, len(downloads)))
    ]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    except BaseException:
        fetching.stop.set()
        for worker in workers:
            if worker.ident:
                worker.join(1.0)  # one that waits for a silent server is left to end with the process
        raise
    finally:
        fetching.client.close()
    if fetching.crash:
        raise fetching.crash
    if fetching.refusals:
        raise Refusal([d for refusal in fetching.refusals for d in refusal.diagnostics])
    if fetching.stopped:
        raise Refusal([errors.stopped(fetching.stopped)], ExitCode.INTERRUPTED)
    return tuple(fetching.results[position] for position in range(len(downloads)))


class _Fetching:
    """What the threads of one call share."""

    def __init__(
        self, downloads: Sequence[Download], on_progress: Progress, stop: threading.Event, patience: Patience
    ) -> None:
        self.todo: Iterator[tuple[int, Download]] = iter(list(enumerate(downloads)))
        self.taking = threading.Lock()
        self.on_progress = on_progress
        self.stop = stop
        self.patience = patience
        self.client = httpx.Client(
            follow_redirects=True,
            max_redirects=10,
            timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s, pool=None),
            headers={"User-Agent": "mlplan", "Accept-Encoding": "identity"},
        )
        self.results: dict[int, LockedUrl] = {}
        self.refusals: list[Refusal] = []
        self.stopped: list[str] = []
        self.crash: Exception | None = None

    def work(self) -> None:
        """Takes one download after the other until none is left."""
        while True:
            with self.taking:
                entry = next(self.todo, None)
            if entry is None:
                return
            position, download = entry
            try:
                self.results[position] = self.fetch(download)
            except Refusal as refusal:
                self.refusals.append(refusal)
            except _Stopped:
                self.stopped.append(download.name)
            except Exception as error:  # a bug: raised again in the caller's thread
                self.crash = error
                return

    def fetch(self, download: Download) -> LockedUrl:
        if self.stop.is_set():
            raise _Stopped
        if download.locked and _is_there(download):
            return download.locked
        try:
            part = Part(download.target, download.name, pinned=download.locked is not None)
            try:
                self.complete(download, part)
                _check(download, part)
                part.finish()
            finally:
                part.close()
        except OSError as error:
            raise errors.disk(download.name, download.target, error) from error
        return LockedUrl(download.name, part.size, part.sha256)

    def complete(self, download: Download, part: Part) -> None:
        """Tries until all bytes are there and, where they come from several answers, fit together."""
        locked = download.locked
        if locked and part.sha256 == locked.sha256:
            return
        self.try_on(download, part)
        if locked and part.sha256 != locked.sha256 and part.requests > 1:
            part.restart(Origin(download.name))  # pieced together of unlike halves, perhaps
            self.try_on(download, part)

    def try_on(self, download: Download, part: Part) -> None:
        tries, best = 0, part.size
        while True:
            try:
                self.ask(download, part)
                return
            except _Again as again:
                tries = 0 if part.size > best else tries + 1
                best = max(best, part.size)
                pause = again.pause_s
                if pause is None:
                    pause = self.patience.first_pause_s * 2 ** max(0, tries - 1) * random.uniform(0.8, 1.2)
                if tries >= self.patience.tries or pause > self.patience.longest_pause_s:
                    raise errors.gave_up(download.name, tries, str(again), again.pause_s, part.size) from again
            if self.stop.wait(pause):
                raise _Stopped

    def ask(self, download: Download, part: Part) -> None:
        """One request, and its answer into the part. Raises: _Again where the next one may do better."""
        headers = _conditions(part, pinned=download.locked is not None)
        try:
            with self.client.stream("GET", download.url, headers=headers) as answer:
                if answer.status_code == 304 and part.is_whole:
                    part.requests += 1
                    return
                self.begin(download, part, answer)
                self.take(download, part, answer)
        except (httpx.TransportError, httpx.DecodingError) as error:
            if (refusal := errors.lasting(download.name, error)) is not None:
                raise refusal from error
            raise _Again(errors.in_words(error)) from error
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise errors.no_use(download.name, error) from error

    def begin(self, download: Download, part: Part, answer: httpx.Response) -> None:
        """Makes the part ready for the body that follows."""
        status = answer.status_code
        if status == 206 and _is_the_rest(answer, part):
            part.requests += 1
        elif status in (206, 416):
            part.restart(Origin(download.name))  # the rest of something else, or of nothing
            raise _Again(f"the server gave another part than asked for (status {status})", 0.0)
        elif status == 200:
            part.restart(_origin(download, answer))
            part.requests = 1
        elif status in (408, 425, 429, 500, 502, 503, 504):
            raise _Again(f"the server answered {status} {answer.reason_phrase}", _retry_after(answer))
        else:
            raise errors.status(download.name, status, answer.reason_phrase)
        missing = (part.origin.total or 0) - part.size
        if missing > (free := shutil.disk_usage(os.path.dirname(part.path)).free):
            raise errors.too_big(download.name, part.path, missing, free)

    def take(self, download: Download, part: Part, answer: httpx.Response) -> None:
        total = part.origin.total
        told = part.size
        self.on_progress(download.name, told, total)
        for chunk in _stored_bytes(download, answer):
            part.write(chunk)
            if part.size - told >= 1 << 18:
                told = part.size
                self.on_progress(download.name, told, total)
            if self.stop.is_set():
                raise _Stopped
        if total is not None and part.size != total:
            raise _Again(f"the server sent {part.size:,} of {total:,} bytes")
        self.on_progress(download.name, part.size, total)


def _is_there(download: Download) -> bool:
    """Whether the target has its locked content."""
    locked = download.locked
    try:
        if locked is None or os.path.getsize(download.target) != locked.size:
            return False
        digest = hashlib.sha256()
        with open(download.target, "rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == locked.sha256


def _check(download: Download, part: Part) -> None:
    """Refuses content that isn't what the lock says, and keeps nothing of it."""
    locked = download.locked
    if locked and part.sha256 != locked.sha256:
        found = LockedUrl(download.name, part.size, part.sha256)
        part.discard()
        raise errors.mismatch(locked, found)


def _conditions(part: Part, *, pinned: bool) -> dict[str, str]:
    """Headers that ask for what is missing: the rest, or word that nothing changed.

    Without a validator the rest is only asked for where a digest will tell whether it fits.
    """
    origin = part.origin
    if part.size and part.is_whole:
        if origin.etag:
            return {"If-None-Match": origin.etag}
        return {"If-Modified-Since": origin.last_modified} if origin.last_modified else {}
    if not part.size or not (origin.validator or (pinned and origin.total)):
        return {}
    headers = {"Range": f"bytes={part.size}-"}
    return {**headers, "If-Range": origin.validator} if origin.validator else headers


def _origin(download: Download, answer: httpx.Response) -> Origin:
    """What a whole answer is: of a decoded one nothing can be said beforehand, nor can it be gone on with."""
    if _is_decoded(download, answer):
        return Origin(download.name)
    length = answer.headers.get("Content-Length", "")
    return Origin(
        download.name,
        answer.headers.get("ETag", ""),
        answer.headers.get("Last-Modified", ""),
        int(length) if length.isascii() and length.isdigit() else None,
    )


def _is_the_rest(answer: httpx.Response, part: Part) -> bool:
    """Whether a partial answer begins where the part ends, and is of a whole of the same length."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
    if not found or int(found[1]) != part.size:
        return False
    return found[2] == "*" or part.origin.total in (None, int(found[2]))


_PACKED = {
    "gzip": (".gz", ".tgz", ".gzip", ".svgz"), "x-gzip": (".gz", ".tgz", ".gzip", ".svgz"), "br": (".br",),
    "zstd": (".zst",), "compress": (".Z",),
}  # fmt: skip
"""Content encodings, and the endings of files that are meant to be packed that way."""


def _is_decoded(download: Download, answer: httpx.Response) -> bool:
    """Whether the body has to be unpacked to be the file.

    A server may label `x.gz` itself `Content-Encoding: gzip`, though nothing was packed on the way: its stored bytes
    are the file. Any other file that comes packed, against what the request says, was packed on the way.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    path = re.sub(r"[?#].*", "", download.url)
    return encoding not in ("", "identity") and not path.endswith(_PACKED.get(encoding, ()))


def _stored_bytes(download: Download, answer: httpx.Response) -> Iterator[bytes]:
    if not _is_decoded(download, answer):
        return answer.iter_raw()
    encoding = answer.headers["Content-Encoding"].strip().lower()
    if encoding not in ("gzip", "deflate"):
        raise errors.unknown_encoding(download.name, encoding)
    return answer.iter_bytes()


def _retry_after(answer: httpx.Response) -> float | None:
    """How many seconds the server asks to wait; None where it doesn't say."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
