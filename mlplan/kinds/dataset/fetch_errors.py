"""What a user is told when a download fails. Every message names the URL without what is secret in it."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING, TypeVar

from mlplan.codes import apply as codes
from mlplan.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlplan.codes import Code
    from mlplan.diagnostics import Diagnostic
    from mlplan.lock.types import LockedUrl

_E = TypeVar("_E", bound=BaseException)

_GO_ON = "What is there already is kept; go on with\n    mlplan apply"


def status(url: str, status: int, reason: str) -> Refusal:
    """The server refuses, and will do so again."""
    said = f"{status} {reason}".strip()
    if status in (401, 403, 407):
        hint = "See that you may read it: a signed URL may have expired, a login may be missing."
        return _refusal(codes.MLP7101, f"{url}: the server answered {said}.", hint)
    if status in (404, 410):
        hint = "Mend the URL in the dataset's `source`, or ask who keeps the file where it went."
        return _refusal(codes.MLP7101, f"{url}: the server answered {said}: there is no such file.", hint)
    return _refusal(codes.MLP7101, f"{url}: the server answered {said}.", "Open the URL in a browser to see why.")


def no_use(url: str, error: Exception) -> Refusal:
    """The URL leads nowhere: malformed, or redirected in a circle."""
    return _refusal(codes.MLP7101, f"{url}: {error}".rstrip(".") + ".", "Mend the URL in the dataset's `source`.")


def unknown_encoding(url: str, encoding: str) -> Refusal:
    """The server packs the body in a way that can't be unpacked."""
    detail = f"{url}: the server sends it packed as `{encoding}`, though it was asked not to pack it."
    return _refusal(codes.MLP7101, detail, "Give a URL whose name says how it is packed, or another server.")


def lasting(url: str, error: Exception) -> Refusal | None:
    """The refusal for a failure of the connection that trying again won't mend, or None."""
    cause = _first_of(error, ssl.SSLError)
    if cause is None:
        if type(error).__name__ in ("UnsupportedProtocol", "LocalProtocolError"):
            return no_use(url, error)
        return None
    if isinstance(cause, ssl.SSLCertVerificationError):
        detail = f"{url}: the server's certificate isn't trusted: {cause.verify_message}."
        hint = (
            "Where the certificate comes from an authority of your own, name its file and try again:\n"
            "    SSL_CERT_FILE=/path/to/authority.pem mlplan apply"
        )
        return _refusal(codes.MLP7103, detail, hint)
    why = cause.reason or "no common ground"
    return _refusal(
        codes.MLP7103, f"{url}: no secure connection: {why}.", "See that the URL's scheme and port are right."
    )


def in_words(error: Exception) -> str:
    """A failure of the connection in a few words."""
    if _first_of(error, socket.gaierror):
        return "the host's name is not known (is there a network?)"
    if _first_of(error, ConnectionRefusedError):
        return "nothing listens at that host and port"
    name = type(error).__name__
    if name == "ConnectTimeout":
        return "the host can't be reached"
    if name in ("ReadTimeout", "WriteTimeout"):
        return "the server fell silent"
    return {
        "ProxyError": f"the proxy refused: {error}",
        "RemoteProtocolError": "the connection broke off",
        "ReadError": "the connection broke off",
    }.get(name, str(error) or name)


def gave_up(url: str, tries: int, why: str, pause_s: float | None, done: int) -> Refusal:
    """It was tried often enough."""
    if pause_s is not None and pause_s > 0:
        detail = f"{url}: {why}, and asks to wait for {pause_s:.0f} s."
        return _refusal(codes.MLP7102, detail, f"Wait that long. {_GO_ON}")
    detail = f"{url}: {why}. Tried {tries} times; {done:,} bytes are there."
    return _refusal(codes.MLP7102, detail, f"See that this machine has a network and the host is up. {_GO_ON}")


def mismatch(locked: LockedUrl, found: LockedUrl) -> Refusal:
    """The content isn't what `mlplan.lock` says."""
    detail = (
        f"{locked.url} has another content than mlplan.lock says.\n"
        f"locked: sha256 {locked.sha256}, {locked.size:,} bytes\n"
        f"found:  sha256 {found.sha256}, {found.size:,} bytes"
    )
    hint = (
        "Where the change is meant, take the new content into the lock file, and commit it:\n"
        f"    mlplan lock --upgrade {locked.url}\n"
        "Where it isn't, ask who keeps the file; nothing of what was found is used."
    )
    return _refusal(codes.MLP7104, detail, hint)


def disk(url: str, target: str, error: OSError) -> Refusal:
    """The file can't be written."""
    folder = os.path.dirname(target)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _refusal(codes.MLP7105, f"{url}: the disk that holds {folder} is full.", f"Free some space. {_GO_ON}")
    why = error.strerror or str(error)
    return _refusal(
        codes.MLP7105, f"{url}: can't be written to {folder}: {why}.", f"See to its permissions. {_GO_ON}"
    )


def too_big(url: str, target: str, missing: int, free: int) -> Refusal:
    """The disk hasn't the space for it."""
    detail = (
        f"{url}: {missing:,} bytes are to come, and the disk that holds {os.path.dirname(target)} has {free:,} free."
    )
    return _refusal(codes.MLP7105, detail, f"Free some space. {_GO_ON}")


def stopped(urls: Sequence[str]) -> Diagnostic:
    """The user asked to stop."""
    return codes.MLP7106.diagnostic(f"Stopped before these were whole: {', '.join(sorted(urls))}.", hint=_GO_ON)


def _refusal(code: Code, detail: str, hint: str) -> Refusal:
    return Refusal([code.diagnostic(detail, hint=hint)])


def _first_of(error: BaseException, kind: type[_E]) -> _E | None:
    return next((cause for cause in _causes(error) if isinstance(cause, kind)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, innermost last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
