"""What ties the rows of one request together: an id, which comes back from `collect` and goes into the next one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping


class CorrelationContext:
    """What a script may derive its own from."""

    def get_id(self) -> str:
        """The id that the rows carry."""
        return ""

    def __str__(self) -> str:
        return self.get_id()

    __repr__ = __str__


class BasicCorrelationContext(CorrelationContext):
    """An id, made where none is given, a time in seconds, and headers, which aren't kept."""

    def __init__(
        self, id: str | None = None, timestamp: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.id = id or str(uuid.uuid4())
        self.timestamp = timestamp or int(time.time())
        self.headers = dict(headers or {})

    def get_id(self) -> str:
        """The id that the rows carry."""
        return self.id

    def get_timestamp(self) -> int:
        """When it was made."""
        return self.timestamp

    def get_headers(self) -> dict[str, str]:
        """What it was given."""
        return self.headers


class Collected(BasicCorrelationContext):
    """What `collect` gives back: the context, and whether its rows were taken."""

    def __init__(self, context: CorrelationContext | None, message: str) -> None:
        timestamp, headers = getattr(context, "timestamp", None), getattr(context, "headers", None)
        super().__init__(context.get_id() if context is not None else None, timestamp, headers)
        self._message = message

    def is_success(self) -> bool:
        """Whether the rows were taken; they are written a little later."""
        return not self._message

    def get_message(self) -> str:
        """Why they weren't."""
        return self._message
