"""What the rest of mlplan sees of a manifest: plain resolved values, each resource with what it refers to.

Light on purpose: a plan with nothing to do reads this from a cache and imports neither pydantic nor PyYAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlplan.address import Address
from mlplan.json_types import Json
from mlplan.source import Span


class Reference(NamedTuple):
    """A resource's mention of another one."""

    address: Address
    attribute: str  # "path", "metrics.accuracy"; "" where a field just names the resource
    place: Span


class Resource(NamedTuple):
    """One named spec, resolved: profile merged, defaults filled in, `var` and `env` replaced by their values.

    References to resources and secrets stay in the strings as `${{ dataset.mnist.path }}`.
    """

    address: Address
    spec: Any  # the TypedDict of its kind in `specs.py`: readers name it, and mypy knows the fields
    references: tuple[Reference, ...]
    place: Span  # of its name in the manifest


class Move(NamedTuple):
    """An entry of `moved`."""

    old: Address
    new: Address
    place: Span


class Value(NamedTuple):
    """A variable's value and where it came from."""

    value: Json
    origin: str  # "default", "file vars.yaml", "environment MLPLAN_VAR_x", "command line"


class Whereabouts(NamedTuple):
    """Whose records a manifest speaks of and where they are: all that reading them needs."""

    root: str  # absolute path of the folder the manifest stands in
    project: str
    workspace: str


class Manifest(NamedTuple):
    """A whole project, resolved."""

    file: str  # as shown: "mlplan.yaml"
    root: str  # absolute path of the folder it stands in; its paths are relative to this
    digest: str  # of everything resolving read: text, profile, variables
    project: str
    workspace: str
    profile: str  # "" where none is chosen
    resources: Mapping[Address, Resource]  # in the order of the manifest
    moved: tuple[Move, ...]
    variables: Mapping[str, Value]
    secrets: tuple[str, ...]  # names of the secrets it mentions, sorted
    places: Mapping[str, Span]  # of every written field, by path: "run.train.arguments.3"
    requests: Mapping[str, int] = {}  # how many golden requests each of its files of them holds, where they were read
