"""Version numbers of datasets and models: from 1, never reused; the same bytes have the same number. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.state.records import State


def stay(count: int, noun: str) -> str:
    """`its 3 kept versions stay`; without the number where none is known, as where two revisions are compared."""
    if count == 1:
        return f"its {noun} stays"
    return f"its {count} {noun}s stay" if count else f"its {noun}s stay"


def number_of(state: State, address: Address, digest: str) -> int:
    """The version number of these bytes: the one they have, or the next one."""
    version = state.version_of(address, digest)
    return version.number if version else 1 + max((v.number for v in state.versions.get(address, ())), default=0)
