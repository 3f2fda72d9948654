"""Walks a pickle's opcodes and says what it would import and call, without doing any of it.

The walk is Python's own unpickler with every opcode that makes something replaced by one that makes a placeholder. So
it reads a stream just as the loader does, joblib's arrays between the opcodes and pickles inside of pickles
included. What it finds is judged by `pickle_names.py`.
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, ClassVar, NamedTuple

_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_MAX_DEPTH = 8
_RANGES = ("builtins.range", "__builtin__.range", "__builtin__.xrange")
_LONG = 10**8  # a range is a few bytes in a pickle; what goes through it may fill all memory


if TYPE_CHECKING:

    class Unpickler:
        """The standard library's unpickler that is written in Python, whose opcodes can be replaced one by one."""

        dispatch: ClassVar[dict[int, Callable[[Any], None]]]
        stack: list[Any]

        def __init__(self, stream: BinaryIO) -> None: ...
        def load(self) -> Any: ...
        def load_build(self) -> None: ...
        def append(self, value: Any) -> None: ...
        def find_class(self, module: str, name: str) -> Any: ...

else:
    Unpickler = pickle._Unpickler


class Finding(NamedTuple):
    """One thing in a pickle that it may not do."""

    name: str  # "os.system", or what is wrong with the stream
    place: int  # the byte after it
    inside: str  # "" or how deep: "a pickle inside"

    def __str__(self) -> str:
        where = f" in {self.inside}" if self.inside else ""
        return f"{self.name} (at byte {self.place}{where})"


class Walk(NamedTuple):
    """What a pickle holds."""

    findings: tuple[Finding, ...]
    has_arrays: bool  # arrays between the opcodes, as joblib writes them


class _Placeholder:
    """Stands for an object that the pickle would make."""

    def __init__(self, of: Any = None, arguments: Any = ()) -> None:
        self.of = of
        self.arguments = arguments
        self.state: Any = None

    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, value: Any) -> None: ...
    def extend(self, values: Any) -> None: ...
    def add(self, value: Any) -> None: ...


class _Name(_Placeholder):
    """Stands for an imported object."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__()
        self.full = f"{module}.{name}"
        self.is_wrapper = (module, name) == _WRAPPER


Judge = Callable[[str, str], bool]


def walk(stream: BinaryIO, judge: Judge) -> Walk:
    """What the first pickle in the stream holds. `judge` says of a module and a name whether they are allowed."""
    walker = _Walker(stream, judge, "", 0)
    walker.walk()
    return Walk(tuple(walker.findings), walker.has_arrays)


class _Walker(Unpickler):
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(Unpickler.dispatch)

    def __init__(self, stream: BinaryIO, judge: Judge, inside: str, depth: int) -> None:
        super().__init__(stream)
        self.stream = stream
        self.judge = judge
        self.inside = inside
        self.depth = depth
        self.findings: list[Finding] = []
        self.has_arrays = False

    def walk(self) -> None:
        """Fills `findings`. Raises nothing: what can't be read is one of them."""
        try:
            self.load()
        except Exception as error:
            self.find(f"a damaged pickle: {error or type(error).__name__}")

    def find(self, name: str) -> None:
        """Notes a finding at the present place."""
        finding = Finding(name, self.stream.tell(), self.inside)
        if len(self.findings) < 100:
            self.findings.append(finding)

    # --- what the stream mentions

    def find_class(self, module: str, name: str) -> Any:
        if not self.judge(module, name):
            self.find(f"{module}.{name}")
        return _Name(module, name)

    def get_extension(self, code: int) -> None:
        self.find(f"extension {code}")
        self.append(_Placeholder())

    def persistent_load(self, pid: Any) -> Any:
        self.find("a persistent id")
        return _Placeholder()

    # --- what the stream would make

    def _make(self, of: Any, arguments: Any) -> _Placeholder:
        if not isinstance(of, _Name):
            self.find(f"a call of something that is no plain name: {type(of).__name__}")
        elif of.full.endswith(".loads"):
            for argument in arguments if isinstance(arguments, (tuple, list)) else ():
                self._walk_inside(argument)
        elif of.full in _RANGES and range(*arguments)[_LONG:]:
            self.find(f"a range of more than {_LONG} numbers")
        return _Placeholder(of, arguments)

    def _walk_inside(self, data: Any) -> None:
        if isinstance(data, str):
            data = data.encode("latin-1", "replace")
        if isinstance(data, (bytes, bytearray)) and self.depth < _MAX_DEPTH:
            self._walk_on(io.BytesIO(bytes(data)))

    def _walk_on(self, stream: BinaryIO) -> Any:
        inner = _Walker(stream, self.judge, "a pickle inside", self.depth + 1)
        inner.walk()
        self.findings += inner.findings
        return _Placeholder()

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(self._make(klass, args))

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self._make(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        keywords = self.stack.pop()
        arguments = self.stack.pop()
        self.append(self._make(self.stack.pop(), (arguments, keywords)))

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if not isinstance(target, _Placeholder) or isinstance(target, _Name):
            self.find(f"a change to {getattr(target, 'full', type(target).__name__)} itself")
        elif isinstance(target.of, _Name) and target.of.is_wrapper:
            self.stack[-1] = self._pass_array(state)
        else:
            target.state = state

    def _pass_array(self, state: Any) -> Any:
        """Goes past the array that joblib writes behind its wrapper."""
        import numpy

        self.has_arrays = True
        if _has_objects(state["dtype"]):
            return self._walk_on(self.stream)
        skip_padding(self.stream, state.get("numpy_array_alignment_bytes"))
        skip(self.stream, item_count(state["shape"]) * numpy.dtype(state["dtype"].arguments[0]).itemsize)
        return _Placeholder()

    for _opcode, _method in (
        (pickle.REDUCE, load_reduce),
        (pickle.NEWOBJ, load_newobj),
        (pickle.NEWOBJ_EX, load_newobj_ex),
        (pickle.BUILD, load_build),
    ):
        dispatch[_opcode[0]] = _method


def _has_objects(dtype: _Placeholder) -> bool:
    """Whether an array of this dtype holds objects, in a field or a field of a field."""
    if str(dtype.arguments[0]).lstrip("|=<>")[:1] == "O":
        return True
    parts = dtype.state if isinstance(dtype.state, tuple) else ()
    fields = [field[0] for part in parts if isinstance(part, dict) for field in part.values()]
    return any(isinstance(field, _Placeholder) and _has_objects(field) for field in fields)


def item_count(shape: Any) -> int:
    """How many items an array of this shape has."""
    count = 1
    for length in shape:
        count *= int(length)
    return count


def skip_padding(stream: BinaryIO, alignment: int | None) -> None:
    """Goes past the bytes that align an array in the file; older files have none."""
    if alignment is not None:
        skip(stream, stream.read(1)[0])


def skip(stream: BinaryIO, size: int) -> None:
    """Goes past so many bytes. Raises: EOFError where there are fewer."""
    place = stream.tell()
    if size < 0 or place + size > stream.seek(0, io.SEEK_END):
        raise EOFError("an array is cut short")
    stream.seek(place + size)
