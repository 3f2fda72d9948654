"""The request as a script with the raw HTTP decorator sees it.

The decorator and the response class stand under the retired system's import paths in `shims/`; this is what they
share. The request has the members that scripts of that system use. It is not Flask's: no cookies, no sessions;
asking for one of those says so.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from .messages import Request

if TYPE_CHECKING:
    from email.message import Message

_asked_for = False


def ask_for() -> None:
    """Notes that the script wants the request itself. It holds for the whole process, as it always did."""
    global _asked_for
    _asked_for = True


def is_asked_for() -> bool:
    """Whether a script did."""
    return _asked_for


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case."""

    def __init__(self, items: Mapping[bytes, bytes]) -> None:
        self._items = {name.decode("latin-1"): value.decode("latin-1") for name, value in items.items()}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name.title() for name in self._items)

    def __len__(self) -> int:
        return len(self._items)


class Arguments(dict[str, str]):
    """The first value of each name in a query or form; `getlist` has all of them."""

    def __init__(self, text: bytes) -> None:
        self._all = parse_qs(text.decode("latin-1"), keep_blank_values=True)
        super().__init__({name: values[0] for name, values in self._all.items()})

    def getlist(self, name: str) -> tuple[str, ...]:
        """All values of a name, in order."""
        return tuple(self._all.get(name, ()))


class Upload(io.BytesIO):
    """A file that came in a form: its content, to be read."""

    def __init__(self, content: bytes, filename: str, content_type: str) -> None:
        super().__init__(content)
        self.filename = filename
        self.content_type = content_type


class HttpRequest:
    """One HTTP request, for a script. The members that it lacks are named by their AttributeError."""

    def __init__(self, request: Request) -> None:
        self.method = request.method.decode("ascii")
        self.path = request.path.decode("latin-1")
        self.query_string = request.query
        self.headers = Headers(request.headers)
        self.args = Arguments(request.query)
        self.data = request.body
        self.content_type = self.headers.get("content-type")
        self.content_length = len(request.body)

    @property
    def full_path(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query_string.decode('latin-1')}"

    @property
    def is_json(self) -> bool:
        """Whether it says that its body is JSON."""
        return "json" in (self.content_type or "")

    @property
    def form(self) -> Arguments:
        """The fields of a form's body."""
        if (self.content_type or "").startswith("application/x-www-form-urlencoded"):
            return Arguments(self.data)
        fields = [(name, part) for name, part in self._parts() if part.get_filename() is None]
        return Arguments(urlencode([(name, _content(part)) for name, part in fields]).encode())

    @property
    def files(self) -> dict[str, Upload]:
        """The files in a form's body, by the names of their fields."""
        files = [(name, part, part.get_filename()) for name, part in self._parts()]
        return {
            name: Upload(_content(part), filename, part.get_content_type())
            for name, part, filename in files
            if filename is not None
        }

    def _parts(self) -> Iterator[tuple[str, Message]]:
        """The parts of a form that came as multipart, by name. Their headers are those of a mail."""
        if not (self.content_type or "").startswith("multipart/form-data"):
            return
        import email  # only where a form comes

        head = f"content-type: {self.content_type}\r\n\r\n".encode("latin-1")
        for part in email.message_from_bytes(head + self.data).walk():
            name = part.get_param("name", header="content-disposition")
            if isinstance(name, str):
                yield name, part

    @property
    def json(self) -> Any:
        """The decoded body. Raises: ValueError where it isn't JSON."""
        return self.get_json()

    def get_data(self, cache: bool = True, as_text: bool = False) -> Any:
        """The body, as bytes or as text."""
        return self.data.decode("utf-8", "replace") if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False) -> Any | None:
        """The decoded body; None where the request doesn't say that it is JSON, unless forced."""
        if not (force or self.is_json):
            return None
        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"this request has no {name!r}: mlplan's scoring runtime offers the members in raw_http.py"
        )


def _content(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def make_request(request: Request) -> HttpRequest:
    """The request for a script."""
    return HttpRequest(request)


class AMLResponse:
    """An answer with a status and headers of its own.

    A `message` that is text or bytes is the body as it is; with `json_str` it is written as JSON, and so is None, as
    an empty object. A generator is read to its end: the answer is sent whole.
    """

    def __init__(
        self,
        message: Any,
        status_code: int,
        response_headers: Mapping[str, str] | None = None,
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        self.status_code = status_code
        self.headers = dict(response_headers or {})
        self.json_str = json_str or message is None
        self.run_function_failed = run_function_failed
        self._message = message

    def get_data(self) -> bytes:
        """The body."""
        message = self._message
        if message is None:
            return b"{}"
        if self.json_str:
            return json.dumps(message).encode()
        if isinstance(message, (str, bytes)):
            return message.encode() if isinstance(message, str) else message
        return b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in message)
