"""Loads a model file, after a look at all that it would do.

    .pkl .pickle .joblib     walked first (`pickle_walk.py`), then read by an unpickler that knows the same rules
    .skops                   by skops, which names the types it doesn't trust

joblib's compressed forms are recognised by their first bytes. Other readers of pickles aren't used, because each of
them follows an import on its own.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO, Callable, ClassVar

from .pickle_names import is_allowed
from .pickle_walk import Finding, Unpickler, item_count, skip_padding, walk

PICKLES = (".pkl", ".pickle", ".joblib")
SUFFIXES = (*PICKLES, ".skops")

Judge = Callable[[str, str], bool]
_SHOWN = 5


class UnsafeModel(Exception):
    """A model file that may not be loaded; the text names what it would do."""


def findings(path: str, allowed: Sequence[str] = ()) -> tuple[Finding, ...]:
    """What a pickle in a file may not do, in the order of the file. Loads nothing. Raises: OSError."""
    return walk(_open(path), partial(is_allowed, added=allowed)).findings


def load(path: str, allowed: Sequence[str] = ()) -> Any:
    """The object in a model file. `allowed` are names beyond the usual, `module.name` or `package.*`.

    Raises: UnsafeModel, OSError, and whatever the object's own classes raise while it is made.
    """
    if path.endswith(".skops"):
        return _load_skops(path, allowed)
    judge = partial(is_allowed, added=allowed)
    stream = _open(path)
    has_arrays = _refuse_findings(path, stream, judge)
    stream.seek(0)
    # The unpickler in C is fast, the one that knows joblib's arrays is not.
    reader = _ArrayReader(stream, judge) if has_arrays else _Reader(stream, judge)
    return reader.load()


def check(path: str, judge: Judge) -> None:
    """Looks at a pickle that somebody else is going to load. Raises: UnsafeModel, OSError."""
    _refuse_findings(path, _open(path), judge)


def _refuse_findings(path: str, stream: BinaryIO, judge: Judge) -> bool:
    """Walks a pickle; whether it has arrays between its opcodes. Raises: UnsafeModel."""
    seen = walk(stream, judge)
    if seen.findings:
        raise UnsafeModel(_refusal(path, [str(finding) for finding in seen.findings]))
    return seen.has_arrays


class _Reader(pickle.Unpickler):
    """Imports what is allowed and nothing else."""

    def __init__(self, stream: BinaryIO, judge: Judge) -> None:
        super().__init__(stream)
        self._judge = judge

    def find_class(self, module: str, name: str) -> Any:
        if not self._judge(module, name):
            raise UnsafeModel(f"the pickle mentions {module}.{name}")
        return super().find_class(module, name)


class _ArrayReader(Unpickler):
    """Reads the arrays that joblib writes between the opcodes."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(Unpickler.dispatch)

    def __init__(self, stream: BinaryIO, judge: Judge) -> None:
        super().__init__(stream)
        self._stream = stream
        self._judge = judge

    def find_class(self, module: str, name: str) -> Any:
        if not self._judge(module, name):
            raise UnsafeModel(f"the pickle mentions {module}.{name}")
        return _Wrapper if name == "NumpyArrayWrapper" else super().find_class(module, name)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Wrapper):
            self.stack[-1] = self._read_array(self.stack[-1])

    dispatch[pickle.BUILD[0]] = load_build

    def _read_array(self, wrapper: _Wrapper) -> Any:
        import numpy

        if wrapper.dtype.hasobject:
            return _ArrayReader(self._stream, self._judge).load()
        skip_padding(self._stream, getattr(wrapper, "numpy_array_alignment_bytes", None))
        data = bytearray(self._stream.read(item_count(wrapper.shape) * wrapper.dtype.itemsize))
        return numpy.frombuffer(data, wrapper.dtype).reshape(wrapper.shape, order=wrapper.order)


class _Wrapper:
    """What joblib writes in place of an array: its shape, order and type."""

    shape: tuple[int, ...]
    order: Any
    dtype: Any


def _open(path: str) -> BinaryIO:
    """The pickle in a file, unpacked, in memory. Raises: UnsafeModel for an unknown or damaged packing."""
    with open(path, "rb") as stream:
        data = stream.read()
    for magic, unpack in _PACKINGS:
        if data.startswith(magic):
            try:
                return io.BytesIO(unpack(data))
            except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise UnsafeModel(_refusal(path, [f"a damaged file: {error}"])) from None
    return io.BytesIO(data)


def _unpack_lz4(data: bytes) -> bytes:
    try:
        import lz4.frame  # type: ignore[import-not-found,unused-ignore]  # only where a model was packed with it
    except ImportError:
        raise UnsafeModel("the model is packed with lz4, which this environment lacks") from None
    return bytes(lz4.frame.decompress(data))


_PACKINGS: list[tuple[bytes, Callable[[bytes], bytes]]] = [
    (b"x\x01", zlib.decompress),
    (b"x\x5e", zlib.decompress),
    (b"x\x9c", zlib.decompress),
    (b"x\xda", zlib.decompress),
    (b"\x1f\x8b", gzip.decompress),
    (b"BZ", bz2.decompress),
    (b"\x5d\x00", lzma.decompress),
    (b"\xfd7zXZ", lzma.decompress),
    (b"\x04\x22\x4d\x18", _unpack_lz4),
]


def _load_skops(path: str, allowed: Sequence[str]) -> Any:
    try:
        from skops import io as skops_io  # type: ignore[import-not-found,import-untyped,unused-ignore]  # where it is installed
    except ImportError:
        raise UnsafeModel(f"{path} needs the package skops in its environment") from None
    untrusted = list(skops_io.get_untrusted_types(file=path))
    unknown = [
        name for name in untrusted if not is_allowed(name.rpartition(".")[0], name.rpartition(".")[2], allowed)
    ]
    if unknown:
        raise UnsafeModel(_refusal(path, unknown))
    return skops_io.load(path, trusted=untrusted)


def _refusal(path: str, named: list[str]) -> str:
    shown = "".join(f"\n  {name}" for name in named[:_SHOWN])
    more = f"\n  and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return (
        f"{os.path.basename(path)} is not loaded: it would use what no scikit-learn model needs:{shown}{more}\n"
        "Where that is the project's own code, name it in the deployment's pickle_allow."
    )
