"""A store whose content and names are encrypted before they leave this machine (`sealing.py`).

What whoever reads the bucket still sees: how many objects there are, how large, and when they came.

The workspace's key, wrapped, has an object of its own. It stands at the end of the checkpoint, too: that is what a
plan reads first, so a machine that never saw the workspace needs no request for the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace import parts
from mlplan.workspace.bucket import BucketStore
from mlplan.workspace.log import CHECKPOINT
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.protocols import OnBytes
from mlplan.workspace.sealing import KEY_BYTES, NotOpened, Sealer, plain_size, unwrap, wrap
from mlplan.workspace.store import Stored

KEY_NAME = "key.json"
"""The workspace's key, wrapped. Never removed."""


class SealedStore:
    """`ContentStore` in a bucket that learns nothing. Safe to use from several threads."""

    def __init__(self, bucket: BucketStore, key: bytes) -> None:
        from threading import RLock

        self._bucket = bucket
        self._key = key
        self._wrapped = b""
        self._sealer: Sealer | None = None
        self._lock = RLock()

    def __repr__(self) -> str:
        return repr(self._bucket)

    def create(self, name: str, data: bytes) -> bool:
        return self._bucket.create(*self._sealed(name, data))

    def replace(self, name: str, data: bytes) -> None:
        sealed_name, sealed = self._sealed(name, data)
        self._bucket.replace(sealed_name, self._with_key(sealed) if name == CHECKPOINT else sealed)

    def get(self, name: str) -> bytes | None:
        """The plain bytes; none where they don't open, which is what damage to all that is read whole looks like."""
        try:
            return self._checkpoint() if name == CHECKPOINT else self._opened(name)
        except NotOpened:
            return b""

    def get_many(self, names: Sequence[str]) -> Sequence[bytes | None]:
        return in_parallel(self.get, names, threads=parts.AT_ONCE)

    def list_from(self, folder: str, first: str = "") -> Sequence[str]:
        return self._bucket.list_from(folder, first)

    def head(self, name: str) -> Stored | None:
        found = self._bucket.head(self._name(name))
        return None if found is None else found._replace(size=plain_size(found.size))

    def delete(self, name: str) -> None:
        self._bucket.delete(self._name(name))

    def has(self, name: str, size: int) -> bool:
        return parts.has(self, name, size)

    def upload(self, name: str, path: str, on_bytes: OnBytes | None = None) -> None:
        parts.upload(self, name, path, on_bytes)

    def download(self, name: str, write: Callable[[bytes], object], start: int = 0) -> bool:
        return parts.download(self, name, write, start)

    def sizes(self, folder: str) -> Mapping[str, int]:
        return parts.sizes(self.objects(folder))

    def read(self, name: str) -> bytes | None:
        """The plain bytes of an object, or None where there is none. Raises: Refusal MLP4202 where it is damaged."""
        try:
            return self._opened(name)
        except NotOpened:
            raise self._damaged(name) from None

    def object_size(self, name: str) -> int | None:
        """The plain size of an object, or None where there is none."""
        found = self._bucket.object_size(self._name(name))
        return None if found is None else plain_size(found)

    def objects(self, folder: str) -> Mapping[str, int]:
        """Names (without the folder) and plain sizes of all objects below a folder."""
        sealer = self._sealer_to_read()
        if sealer is None:
            return {}
        sealed_folder = sealer.seal_name(folder)
        found: dict[str, int] = {}
        for name, size in self._bucket.objects(sealed_folder).items():
            try:
                opened = sealer.open_name(f"{sealed_folder}/{name}")
            except NotOpened:
                raise self._damaged(f"{folder}/{name}") from None
            found[opened.removeprefix(f"{folder}/")] = plain_size(size)
        return found

    def rotate(self, new: bytes) -> None:
        """Wraps the workspace's key by another key of the user's; the one before opens it no more."""
        with self._lock:
            self._wrapped, self._key = wrap(self._sealer_to_write().key, new), new
            checkpoint = self._bucket.read(CHECKPOINT)
            if checkpoint is not None:
                self._bucket.replace(CHECKPOINT, self._with_key(checkpoint.rpartition(b"\n")[0]))
            self._bucket.replace(KEY_NAME, self._wrapped)  # last: until then the command can be given once more

    def _sealed(self, name: str, data: bytes) -> tuple[str, bytes]:
        sealer = self._sealer_to_write()
        sealed_name = sealer.seal_name(name)
        return sealed_name, sealer.seal(sealed_name, data)

    def _opened(self, name: str) -> bytes | None:
        """Raises: NotOpened."""
        sealer = self._sealer_to_read()
        if sealer is None:
            return None
        sealed_name = sealer.seal_name(name)
        sealed = self._bucket.read(sealed_name)
        return None if sealed is None else sealer.open(sealed_name, sealed)

    def _checkpoint(self) -> bytes | None:
        """Raises: NotOpened."""
        data = self._bucket.read(CHECKPOINT)
        if data is None:
            return None
        sealed, _, wrapped = data.rpartition(b"\n")
        with self._lock, suppress(NotOpened):
            if self._sealer is None:
                self._unwrap(wrapped)
        sealer = self._sealer_to_read()
        return None if sealer is None else sealer.open(CHECKPOINT, sealed)

    def _with_key(self, sealed: bytes) -> bytes:
        return sealed + b"\n" + self._wrapped

    def _name(self, name: str) -> str:
        sealer = self._sealer_to_read()
        return name if sealer is None else sealer.seal_name(name)

    def _sealer_to_read(self) -> Sealer | None:
        """None where nothing is there yet, and so no key either."""
        with self._lock:
            return self._sealer or self._from_bucket()

    def _sealer_to_write(self) -> Sealer:
        """The same; where nothing is there yet, the first one to write makes the key."""
        with self._lock:
            sealer = self._sealer_to_read()
            if sealer is None:
                self._bucket.create(KEY_NAME, wrap(os.urandom(KEY_BYTES), self._key))
                sealer = self._from_bucket()
            assert sealer is not None
            return sealer

    def _from_bucket(self) -> Sealer | None:
        data = self._bucket.get(KEY_NAME)
        if data is None:
            if self._bucket.list_from("log"):
                hint = "`mlplan explain MLP4408` tells how to encrypt it; to go on without, unset the key"
                raise Refusal([codes.MLP4408.diagnostic(f"{self} was begun without a key.", hint=hint)])
            return None
        try:
            return self._unwrap(data)
        except NotOpened:
            hint = "provide the key that was last set for this workspace, by `mlplan workspace rotate-key` perhaps"
            raise Refusal([codes.MLP4407.diagnostic(f"The key doesn't open {self}/{KEY_NAME}.", hint=hint)]) from None

    def _unwrap(self, wrapped: bytes) -> Sealer:
        """Takes the workspace's key, wrapped by the user's. Raises: NotOpened."""
        self._sealer, self._wrapped = Sealer(unwrap(wrapped, self._key)), wrapped
        return self._sealer

    def _damaged(self, name: str) -> Refusal:
        hint = "restore an earlier version of the object, or remove it: `mlplan plan` then makes it anew"
        return Refusal([codes.MLP4202.diagnostic(f"{self}/{self._name(name)} doesn't open.", hint=hint)])
