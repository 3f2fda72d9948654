"""A mapping whose values are decoded when they are asked for.

A checkpoint of a long-lived project holds thousands of records, and a plan looks at few of them. What nobody asked
for also goes into the next checkpoint as the bytes it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lazy(Mapping[K, V], Generic[K, V]):
    """A read-only mapping over values of which some are still bytes. `decode` makes a value of them, once."""

    __slots__ = ("_decode", "_values")

    def __init__(self, values: dict[K, Any], decode: Callable[[K, bytes], V]) -> None:
        self._values = values
        self._decode = decode

    def __getitem__(self, key: K) -> V:
        value: V | bytes = self._values[key]
        if type(value) is bytes:
            value = self._values[key] = self._decode(key, value)
        return value  # type: ignore[return-value]  # V is never bytes

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __repr__(self) -> str:
        return repr(dict(self))

    def raw(self) -> dict[K, Any]:
        """A copy that keeps what is not yet decoded as bytes."""
        return self._values.copy()

    def with_values(self, values: dict[K, Any]) -> Lazy[K, V]:
        """The same kind of mapping over other values."""
        return Lazy(values, self._decode)


def raw(mapping: Mapping[K, V]) -> dict[K, Any]:
    """A dict of a mapping's values that costs no decoding."""
    return mapping.raw() if isinstance(mapping, Lazy) else dict(mapping)


def like(mapping: Mapping[K, V], values: dict[K, Any]) -> Mapping[K, V]:
    """`values` as a mapping that decodes as `mapping` does."""
    return mapping.with_values(values) if isinstance(mapping, Lazy) else values
