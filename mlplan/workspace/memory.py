"""A store in memory, for tests of everything above the store, and a way to it on which messages get
lost, late or doubled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.store import Stored


class MemoryStore:
    """`Store` in memory. Its clock, in seconds, only goes on when told to: set `now`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.objects: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def create(self, name: str, data: bytes) -> bool:
        with self._lock:
            if name in self.objects:
                return False
            self.objects[name] = data, self.now
            return True

    def replace(self, name: str, data: bytes) -> None:
        with self._lock:
            self.objects[name] = data, self.now

    def get(self, name: str) -> bytes | None:
        with self._lock:
            found = self.objects.get(name)
            return None if found is None else found[0]

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        return [self.get(name) for name in names]

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        with self._lock:
            names = [name.removeprefix(f"{folder}/") for name in self.objects if name.startswith(f"{folder}/")]
            return sorted(name for name in names if name >= first and "/" not in name)

    def head(self, name: str) -> Stored | None:
        with self._lock:
            found = self.objects.get(name)
            return None if found is None else Stored(len(found[0]), self.now - found[1])

    def delete(self, name: str) -> None:
        with self._lock:
            self.objects.pop(name, None)


Fate = Literal["ok", "lost", "unanswered", "twice", "late"]
T = TypeVar("T")


class FaultyStore:
    """One actor's way to a shared `MemoryStore`, on which messages get lost, late or doubled.

    `fate` is asked before each message (with the method's and the object's name) and says what becomes of it:

    ok          it arrives and is answered
    lost        it never arrives; the caller gets a Refusal
    unanswered  it arrives, its answer doesn't; the caller gets a Refusal
    twice       it arrives twice; the caller gets the second answer
    late        the caller gets a Refusal now, and the message arrives at the next `deliver`
    """

    def __init__(self, store: MemoryStore, fate: Callable[[str, str], Fate]) -> None:
        self._store = store
        self._fate = fate
        self._late: list[Callable[[], object]] = []

    def create(self, name: str, data: bytes) -> bool:
        return self._send("create", name, lambda: self._store.create(name, data))

    def replace(self, name: str, data: bytes) -> None:
        self._send("replace", name, lambda: self._store.replace(name, data))

    def get(self, name: str) -> bytes | None:
        return self._send("get", name, lambda: self._store.get(name))

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        return [self.get(name) for name in names]

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        return self._send("list_from", folder, lambda: self._store.list_from(folder, first))

    def head(self, name: str) -> Stored | None:
        return self._send("head", name, lambda: self._store.head(name))

    def delete(self, name: str) -> None:
        self._send("delete", name, lambda: self._store.delete(name))

    def deliver(self) -> None:
        """Lets the late messages arrive, the last one first."""
        while self._late:
            self._late.pop()()

    def _send(self, method: str, name: str, message: Callable[[], T]) -> T:
        fate = self._fate(method, name)
        if fate == "late":
            self._late.append(message)
        if fate in ("unanswered", "twice"):
            message()
        if fate in ("ok", "twice"):
            return message()
        raise Refusal([codes.MLP4304.diagnostic(f"{method} {name}: no answer.")])
