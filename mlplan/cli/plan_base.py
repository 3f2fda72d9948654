"""`mlplan plan --base REV`: what this change alone adds, from git's objects, without state, credentials or network.

Two revisions are compared: HEAD, and the commit at which it left REV. Nothing of either is executed.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mlplan.cli.globals import Globals, tell
from mlplan.cli.plan import PlanOptions, exit_code, show
from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.graph import Graph, build_graph
from mlplan.kinds.baseline import MISSING, NothingKept, assume, assumed_state
from mlplan.kinds.planning import loss
from mlplan.kinds.protocol import Reading
from mlplan.kinds.registry import KINDS
from mlplan.plan.make import apply_moves, make_plan
from mlplan.state.records import EMPTY
from mlplan.workspace.git import common_base, extract, is_dirty

if TYPE_CHECKING:
    from mlplan.address import Address
    from mlplan.manifest.files import Disk, Kind
    from mlplan.manifest.load import File
    from mlplan.manifest.resolved import Manifest
    from mlplan.plan.changes import Change, Plan
    from mlplan.plan.decide import Desired
    from mlplan.plan.make import Lookup
    from mlplan.state.records import State
    from mlplan.targets.protocols import Target
    from mlplan.workspace.protocols import Artifacts


class Revision(NamedTuple):
    """A project at one revision, read."""

    manifest: Manifest
    graph: Graph
    facts: dict[Address, Any]


def run_base(options: Globals, asked: PlanOptions) -> ExitCode:
    """Shows what HEAD changes against its common base with REV."""
    root = os.path.abspath(options.directory)
    base = common_base(root, asked.base)
    if is_dirty(root):
        tell("note: uncommitted edits don't count; two commits are compared.")
    with tempfile.TemporaryDirectory(prefix="mlplan-base-") as there, tempfile.TemporaryDirectory() as here:
        extract(root, base, there)
        extract(root, "HEAD", here)
        plan = compare(there, here, options)
    show(plan, asked.format, verbose=asked.verbose, base=asked.base)
    return exit_code(plan, asked)


def compare(there: str, here: str, options: Globals) -> Plan:
    """The plan that leads from the extracted base to the extracted head. Either may be without a manifest."""
    base = read_revision(there, options, EMPTY)
    state = assumed_state(base.graph, base.manifest.resources, base.facts) if base else EMPTY
    head = read_revision(here, options, state)
    some = head or base
    if some is None:
        raise Refusal([codes.MLP5008.diagnostic(f"Neither revision holds a {options.file} here.")])
    state, moved = apply_moves(state, [(move.old, move.new) for move in head.manifest.moved] if head else [])

    def desire(address: Address, lookup: Lookup) -> Desired:
        assert head is not None  # an address of its graph
        return assume(head.manifest.resources[address], head.facts[address], lookup, state)

    def yields(change: Change, now: State) -> Any:
        assert head is not None
        facts = head.facts[change.address]
        return None if facts is MISSING else KINDS[change.address.kind].yields(change, facts, now)

    return make_plan(
        head.graph if head else build_graph({}),
        desire,
        yields,
        state,
        {},
        project=some.manifest.project,
        manifest_digest=some.manifest.digest,
        moved=moved,
        loss=loss,
    )


def read_revision(root: str, options: Globals, state: State) -> Revision | None:
    """The project of an extracted revision; None where it holds no manifest. Raises: Refusal for a wrong one."""
    from mlplan.lock.lockfile import read
    from mlplan.manifest.load import Inputs, load_bytes
    from mlplan.workspace.files import FileIndex

    if not os.path.exists(os.path.join(root, options.file)):
        return None
    manifest_file, *variable_files = (read_file(root, name) for name in (options.file, *options.variable_files))
    inputs = Inputs(os.environ, options.profile, dict(options.variables), variable_files)
    loaded = load_bytes(manifest_file.data, file=options.file, root=root, inputs=inputs, disk=forgiving(root))
    if loaded.manifest is None:
        raise Refusal(loaded.diagnostics, sources=loaded.sources)
    manifest = loaded.manifest
    reading = Reading(
        manifest=manifest,
        lock=read(os.path.join(root, "mlplan.lock")),
        files=FileIndex(root, os.path.join(root, ".mlplan-cache"), lambda name, content: None),
        artifacts=cast("Artifacts", NothingKept()),  # planning only reads listings
        state=state,
        target=no_target,
        secret=lambda name: None,
    )
    graph = build_graph({a: [r.address for r in resource.references] for a, resource in manifest.resources.items()})
    return Revision(manifest, graph, {address: facts_of(manifest, address, reading) for address in graph.order})


def read_file(root: str, name: str) -> File:
    """A file of the revision."""
    from mlplan.manifest.load import File

    with open(os.path.join(root, name), "rb") as stream:
        return File(name, stream.read())


def facts_of(manifest: Manifest, address: Address, reading: Reading) -> Any:
    """What a kind reads; MISSING for a dataset whose files aren't kept in git."""
    try:
        return KINDS[address.kind].read(manifest.resources[address], reading)
    except Refusal:
        if address.kind == "dataset":
            return MISSING
        raise


def forgiving(root: str) -> Disk:
    """The extracted folder, in which nothing counts as missing: data need not be in git to be declared."""
    from mlplan.manifest.files import RealDisk

    class Forgiving(RealDisk):
        def kind(self, path: str) -> Kind:
            return super().kind(path) or "file"

    return Forgiving(root)


def no_target(name: str) -> Target:
    """Nobody is asked about the world."""
    raise AssertionError(f"a comparison of revisions asked for the compute {name}")
