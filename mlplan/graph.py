"""The graph: which resource needs which, and the order that follows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlplan.address import Address, sort_key


class Graph(NamedTuple):
    """Resources and what they need, each after all that it needs."""

    order: tuple[Address, ...]
    needs: Mapping[Address, tuple[Address, ...]]  # direct ones, in the order of sort_key

    def dependants(self) -> dict[Address, list[Address]]:
        """Who needs each address directly, in graph order."""
        found: dict[Address, list[Address]] = {address: [] for address in self.order}
        for address in self.order:
            for need in self.needs[address]:
                found[need].append(address)
        return found

    def closure(self, wanted: Iterable[Address]) -> frozenset[Address]:
        """The wanted addresses and all that they need, near and far."""
        seen: set[Address] = set()
        rest = list(wanted)
        while rest:
            address = rest.pop()
            if address not in seen:
                seen.add(address)
                rest.extend(self.needs.get(address, ()))
        return frozenset(seen)


def build_graph(needs: Mapping[Address, Iterable[Address]]) -> Graph:
    """The graph over these addresses; needs outside of them are left out.

    The order is the one and only for a set of needs: among those that are ready, the first by kind and name.
    Raises: ValueError naming the addresses of a cycle (a checked manifest has none).
    """
    inside = {
        address: tuple(sorted({n for n in wanted if n in needs}, key=sort_key)) for address, wanted in needs.items()
    }
    missing = {address: len(wanted) for address, wanted in inside.items()}
    dependants: dict[Address, list[Address]] = {address: [] for address in inside}
    for address, wanted in inside.items():
        for need in wanted:
            dependants[need].append(address)
    ready = [(sort_key(address), address) for address, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order: list[Address] = []
    while ready:
        _, address = heapq.heappop(ready)
        order.append(address)
        for dependant in dependants[address]:
            missing[dependant] -= 1
            if missing[dependant] == 0:
                heapq.heappush(ready, (sort_key(dependant), dependant))
    if len(order) < len(inside):
        raise ValueError("cycle among " + ", ".join(str(a) for a in inside if missing[a]))
    return Graph(tuple(order), inside)
