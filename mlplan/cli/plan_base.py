"""`mlplan plan --base REV`: what this change alone adds, from git's objects, without state, credentials or network.

Two revisions are compared: HEAD, and the commit at which it left REV. Nothing of either is executed.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from mlplan.cli.globals import Globals, job_url
from mlplan.cli.planning import PlanOptions, gate, selection_of, show, tell_notes
from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.kinds.comparing import Compared, compare
from mlplan.kinds.revision import OUTSIDE, Asked, Revision, read_revision
from mlplan.plan.attribution import attribute
from mlplan.plan.make import Selection
from mlplan.views.plan_context import Context
from mlplan.workspace.checkout import Checkout
from mlplan.workspace.git import Objects, common_base, find_repository, is_dirty, renamed_from
from mlplan.workspace.revision_tree import RevisionTree

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.diagnostics import Diagnostic
    from mlplan.plan.changes import Plan
    from mlplan.state.records import State
    from mlplan.workspace.git import Repository


UNCOMMITTED = "edits that aren't committed don't count: two commits are compared"
UNCOMMITTED_PENDING = "edits that aren't committed can't be told from what was pending"


class Comparison(NamedTuple):
    """What a change adds, and what a reader has to know about that."""

    compared: Compared
    notes: tuple[str, ...]


def run_base(options: Globals, asked: PlanOptions) -> ExitCode:
    """Shows what HEAD changes against its common base with REV."""
    if asked.out:
        raise Refusal(
            [
                codes.MLP5011.diagnostic(
                    "`--out` with `--base`: what two revisions differ by is no plan that can be applied.",
                    hint="Keep it to read:\n    mlplan plan --base REV --format json > FILE\n"
                    "or make a plan on the state:\n    mlplan plan --out FILE",
                )
            ]
        )
    found = compare_with(options, asked)
    tell_notes(found.notes)
    plan = found.compared.plan
    complete = not (asked.only or asked.exclude)
    context = Context(base=asked.base, complete=complete, full_text=job_url(), notes=found.notes)
    show(plan, asked.format, verbose=asked.verbose, context=context, graph=found.compared.graph)
    return gate(plan, found.compared.state, asked)


def attributed(plan: Plan, context: Context, options: Globals, asked: PlanOptions) -> Context:
    """For a plan on the state: who caused each of its changes, this change against REV, the base or the world."""
    found = compare_with(options, asked._replace(only=(), exclude=(), replace=()))
    notes = tuple(UNCOMMITTED_PENDING if note == UNCOMMITTED else note for note in found.notes)
    tell_notes(notes)
    changed = {change.address for change in found.compared.plan.changes if not change.is_quiet}
    return context._replace(attribution=attribute(plan, changed), notes=notes)


def compare_with(options: Globals, asked: PlanOptions) -> Comparison:
    """What HEAD changes against its common base with REV. Raises: Refusal with all that is wrong with either."""
    folder, name = os.path.split(os.path.normpath(os.path.join(os.path.abspath(options.directory), options.file)))
    repository = find_repository(folder)
    files = [os.path.abspath(path) for path in options.variable_files]
    wanted = Asked(name, os.environ, options.profile, dict(options.variables), files)
    edited = meanwhile(lambda: is_dirty(repository))
    with Objects(repository.top) as objects, tempfile.TemporaryDirectory(prefix="mlplan-base-") as scratch:
        root = os.path.join(os.path.realpath(scratch), "checkout")
        os.mkdir(root)
        os.mkdir(os.path.join(scratch, OUTSIDE))
        two = _two_revisions(objects, repository, wanted, root, asked.base)

        def choose(state: State) -> Selection:
            return selection_of(asked, {*(two.head.manifest.resources if two.head else {}), *state.resources})

        def wrong(refusal: Refusal, revision: Revision) -> Refusal:
            return of_base(refusal, asked.base) if revision is two.base else refusal

        compared = compare(two.base, two.head, Checkout(objects, root), choose, wrong)
    notes = [*_differences(two, asked.base), *_not_compared(compared), *([UNCOMMITTED] if edited() else [])]
    return Comparison(compared, tuple(notes))


class _Two(NamedTuple):
    """The two revisions; None for one that has no such project. And how the manifest is called in each."""

    base: Revision | None
    head: Revision | None
    base_name: str
    head_name: str


def _two_revisions(objects: Objects, repository: Repository, wanted: Asked, root: str, revision: str) -> _Two:
    """The project at HEAD, and where HEAD left the revision. Raises: Refusal with what is wrong with either."""
    head = objects.commit("HEAD")
    base = common_base(objects, objects.commit(revision), head)
    here, there = RevisionTree(repository, head, objects), RevisionTree(repository, base, objects)
    name, old_name = f"{repository.prefix}{wanted.file}", f"{repository.prefix}{wanted.file}"
    if here.kind(wanted.file) and not there.kind(wanted.file):
        old_name = renamed_from(objects.top, base, head, name) or name
        if old_name != name:
            prefix = old_name[: old_name.rindex("/") + 1] if "/" in old_name else ""
            there = RevisionTree(repository._replace(prefix=prefix), base, objects)
    now = read_revision(here, wanted, root, lenient=False)
    try:
        before = wanted._replace(file=old_name.rpartition("/")[2])
        was = read_revision(there, before, root, lenient=True, like=now)
    except Refusal as refusal:
        raise of_base(refusal, revision) from refusal
    if now is None and was is None:
        detail = f"Neither HEAD nor {revision} holds {name}."
        hint = "Name the project's folder with `-C DIR`, or the manifest with `-f FILE`."
        raise Refusal([codes.MLP5012.diagnostic(detail, hint=hint)])
    return _Two(was, now, old_name, name)


def meanwhile(work: Callable[[], bool]) -> Callable[[], bool]:
    """Begins the work on the side. Returns what waits for its result."""
    from threading import Thread

    results: list[bool] = []
    thread = Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def result() -> bool:
        thread.join()
        return any(results)

    return result


def _differences(two: _Two, base: str) -> list[str]:
    """What no single change says: the manifest is new, gone or elsewhere, another state is meant."""
    if two.base is None:
        return [f"{base} holds no such project: everything is new"]
    if two.head is None:
        return [f"{two.head_name} is removed: all that {base} declares goes"]
    notes = []
    if two.base_name != two.head_name:
        notes.append(f"{two.head_name} was {two.base_name} at {base}")
    was, now = two.base.manifest, two.head.manifest
    if was.workspace != now.workspace:
        notes.append(
            f"the workspace changes from {was.workspace} to {now.workspace}: what is recorded in the old one isn't "
            "known in the new one, so an apply would make everything anew, and what stands would stay"
        )
    if was.project != now.project:
        notes.append(
            f"the project changes from {was.project} to {now.project}: a workspace that belongs to {was.project} "
            "refuses it"
        )
    return notes


def _not_compared(compared: Compared) -> list[str]:
    """Which data git doesn't hold."""
    names = ", ".join(str(address) for address in compared.unkept)
    return [f"git doesn't keep all files of {names}: a change of those doesn't show here"] if names else []


def of_base(refusal: Refusal, base: str) -> Refusal:
    """A refusal that is about the base: its places say so, and a first word says what that means."""
    first = codes.MLP5013.diagnostic(
        f"The project can't be read as {base} has it, so what this change alone adds can't be told.",
        hint="Mend it there first; or, where this change is what mends it, look at the whole plan:\n    mlplan plan",
    )
    moved = [_at(diagnostic, base) for diagnostic in refusal.diagnostics]
    sources = [source._replace(file=f"{base}:{source.file}") for source in refusal.sources]
    return Refusal([first, *moved], refusal.exit_code, sources)


def _at(diagnostic: Diagnostic, base: str) -> Diagnostic:
    labels = [
        label._replace(span=label.span._replace(file=f"{base}:{label.span.file}")) for label in diagnostic.labels
    ]
    return diagnostic._replace(labels=tuple(labels))
