"""Keeps secrets out of output: what a process prints passes here on its way to its log.

Supervisors of jobs and services carry this file along, into containers too: standard library alone, Python 3.9 or
newer. As a program it stands between a service and its log, for as long as the service runs:

    masking.py DESCRIPTOR     masks its stdin to its stdout; the secrets come over the descriptor, as a list in JSON
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Collection, Iterator

MASK = b"***"
"""What is written in a secret's place."""
SHORTEST = 4
"""What is shorter than so many bytes is no secret to be found in a text: it would blot out words."""
_SHORTEST_PIECE = 6  # of base64, without what its neighbours decide
_BLOCK = 65536


class Mask:
    """Masks one stream, block by block. What could be the beginning of a secret waits for the next block."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._forms = sorted({form for secret in secrets for form in _forms(secret)})
        self._pending = b""
        self._begun = 0  # so many bytes of what waits belong to a secret whose mask is written already

    def feed(self, block: bytes) -> bytes:
        """What can be written now that this came."""
        text = self._pending + block
        hold = min((self._held_from(text, form) for form in self._forms), default=len(text))
        return self._write(text, hold)

    def end(self) -> bytes:
        """The rest: nothing comes any more."""
        return self._write(self._pending, len(self._pending))

    def _write(self, text: bytes, until: int) -> bytes:
        """The text up to there, masked; the rest of it waits."""
        written: list[bytes] = []
        at, begun = 0, max(0, self._begun - until)
        for start, end in self._spans(text):
            if start >= until:
                break
            written.append(text[at:start])
            if start or not self._begun:
                written.append(MASK)
            at, begun = end, max(0, end - until)
        written.append(text[at:until])
        self._pending, self._begun = text[until:], begun
        return b"".join(written)

    def _spans(self, text: bytes) -> list[tuple[int, int]]:
        """Where secrets stand, in order; those that overlap are one."""
        found = [(0, self._begun)] if self._begun else []
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = text.find(form, at + 1)
        joined: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if joined and start < joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return joined

    def _held_from(self, text: bytes, form: bytes) -> int:
        """Where the text's end could be the beginning of this form; its length where nowhere."""
        at = text.find(form[:1], max(0, len(text) - len(form) + 1))
        while at >= 0 and not form.startswith(text[at:]):
            at = text.find(form[:1], at + 1)
        return len(text) if at < 0 else at


def masked(text: str, secrets: Collection[str]) -> str:
    """A whole text with its secrets masked."""
    mask = Mask(secrets)
    return (mask.feed(text.encode(errors="surrogateescape")) + mask.end()).decode(errors="surrogateescape")


def carry(source: int, target: int, secrets: Collection[str]) -> None:
    """Masks what comes from one descriptor on its way to another, until nobody has the other end of it open.

    What can't be written (on a full disk, say) is left out, and that is noted in its place as soon as there is room:
    the one who prints can do nothing about it, and shouldn't wait for it.
    """
    mask = Mask(secrets)
    lost = 0
    while True:
        block = os.read(source, _BLOCK)
        text = mask.feed(block) if block else mask.end()
        if lost and not _write(target, b"\n[mlplan: %d bytes of output could not be written]\n" % lost):
            lost = 0
        lost += len(text) if lost else _write(target, text)
        if not block:
            return


def _write(target: int, text: bytes) -> int:
    """Writes what can be written; how many bytes of it could not."""
    try:
        while text:
            text = text[os.write(target, text) :]
    except OSError:
        pass
    return len(text)


def _forms(secret: str) -> Iterator[bytes]:
    """How a secret can show: as it is and line by line, quoted for a URL, as JSON and Python quote it, in base64."""
    import urllib.parse  # here and below, since most jobs have nothing to mask

    raw = secret.encode(errors="surrogateescape")
    if len(raw) < SHORTEST:
        return
    yield raw
    yield from (line for line in map(bytes.strip, raw.splitlines()) if len(line) >= SHORTEST)
    for quoted in (urllib.parse.quote(raw), urllib.parse.quote(raw, safe=""), urllib.parse.quote_plus(raw)):
        yield quoted.encode()
    for written in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        yield written[1:-1].encode(errors="surrogateescape")
    yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The secret in base64, alone and in the middle of something, where what stands before it moves its bits."""
    import base64

    whole = [base64.b64encode(raw)]
    for before in range(3):
        first = -(-8 * before // 6)  # the characters that are the secret's alone
        last = 8 * (before + len(raw)) // 6
        whole.append(base64.b64encode(b"\0" * before + raw + b"\0\0")[first:last])
    for piece in whole:
        if len(piece) >= _SHORTEST_PIECE:
            yield piece
            yield piece.translate(bytes.maketrans(b"+/", b"-_"))


def main(descriptor: int) -> None:
    """Masks stdin to stdout until it ends, in the background. Signals to end are left to the one who prints, whose
    last words count."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with open(descriptor, encoding="utf-8") as stream:
        secrets = json.load(stream)
    if os.fork():
        os._exit(0)  # the one who started this is done: nobody has to wait for the rest
    carry(0, 1, secrets)


if __name__ == "__main__":
    main(int(sys.argv[1]))
