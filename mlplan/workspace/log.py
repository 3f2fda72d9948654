"""The log: commits by serial number, each created if absent, and a checkpoint that keeps reading them short.

    log/00000000000000000007.json    commit 7 (state/encode.py); never changed, never removed
    checkpoint.json                  the state up to some commit (state/checkpoint.py); overwritten now and then

Three things notice what must not happen to a log. The digest in each commit: a damaged file. The digest of its
predecessor in each commit: a changed history. The serials, the checkpoint and this machine's own memory of what it
saw last (`Witness`): files that are gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from time import gmtime, strftime
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import state as codes
from mlplan.errors import ExitCode, Refusal
from mlplan.state.checkpoint import Checkpoint, decode_checkpoint, encode_checkpoint
from mlplan.state.encode import Damaged, Sealed, TooNew, decode_commit, encode_commit
from mlplan.state.entries import Commit, Created, Entry, LeaseReleased, LeaseTaken
from mlplan.state.fold import fold
from mlplan.state.records import EMPTY, State

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.workspace.store import Store
    from mlplan.workspace.witness import Witness

CHECKPOINT = "checkpoint.json"
CHECKPOINT_EVERY = 50
"""Commits after which a checkpoint is written: reading 50 commits takes about as long as reading one checkpoint."""

_MISSED = 1000
"""Commits that a listing may lack at most. One beyond is far from the log's end: what comes before it is gone."""

_UNLEASED = (Created, LeaseTaken, LeaseReleased)
_START = Checkpoint(EMPTY, "")


class Author(NamedTuple):
    """What each commit says of where it comes from."""

    who: str  # user@host
    revision: Callable[[], str]  # asked once, by the first commit


class WorkspaceLog:
    """`Log` over a store. Safe to use from several threads.

    `holding` is the id of the lease that this process holds, "" without one. `lost` refuses its commits once it can't
    keep that lease, whatever the log says. `lease.py` sets both.

    `asks_first` is for a store that can only list from the beginning: then one request tells that nothing came after
    a checkpoint, however long the log is. Whoever writes lists all the same before that, and so notices a gap.
    """

    def __init__(
        self,
        store: Store,
        *,
        author: Author,
        project: str = "",
        witness: Witness | None = None,
        checkpoint_every: int = CHECKPOINT_EVERY,
        asks_first: bool = False,
        now: Callable[[], str] = lambda: strftime("%Y-%m-%dT%H:%M:%SZ", gmtime()),
    ) -> None:
        from threading import RLock

        self._store = store
        self._author = author
        self._project = project
        self._witness = witness
        self._checkpoint_every = checkpoint_every
        self._asks_first = asks_first
        self._listed = False
        self._now = now
        self._lock = RLock()
        self._tip: Checkpoint | None = None  # the newest state known here
        self._kept = 0  # the serial up to which a checkpoint is known to exist
        self._revision: str | None = None
        self.holding = ""
        self.lost: Refusal | None = None

    def read(self) -> State:
        """The state now. Raises: Refusal (MLP4001 to MLP4005) for a log that is damaged, cut, changed, newer, or
        another project's."""
        with self._lock:
            tip = self._load() if self._tip is None else self._read_on(self._tip)
            self._check_project(tip.state)
            self._tip = tip
            return tip.state

    def append(self, state: State, entries: Sequence[Entry], *, command: str) -> State:
        """The state with one more commit, durable when this returns.

        Raises: Refusal MLP4102 where the lease that `state` was made under has ended, MLP4103 where this process
        never held it; and what `read` raises.
        """

        def check(now: State) -> bool:
            if not all(isinstance(entry, _UNLEASED) for entry in entries):
                self._check_lease(state, now)
            return True

        after = self._commit(entries, command, check)
        assert after is not None
        return after

    def append_if(self, seen: State, entries: Sequence[Entry], *, command: str) -> State | None:
        """As `append`, as long as nobody took or gave back the lease since `seen`; otherwise None, and nothing is
        written. For taking and ending leases."""
        was = seen.lease and seen.lease.id
        return self._commit(entries, command, lambda now: (now.lease and now.lease.id) == was)

    def commits(self, since: int = 1) -> Iterator[Commit]:
        """Commits in order, from serial `since`; each checked against the one before it."""
        before: str | None = "" if since <= 1 else None
        for serial in range(max(since, 1), self.read().serial + 1):
            sealed = self._get(serial, before)
            before = sealed.digest
            yield sealed.commit

    def tip(self, up_to: int | None = None) -> Checkpoint:
        """The end of the log, or where it was at a serial: folded and checked from the first commit on, whatever a
        checkpoint says. Raises: what `read` raises."""
        names = self._store.list_from("log")
        tip = self._fold_from(_START, [name for name in names if up_to is None or _serial(name) <= up_to])
        self._check_project(tip.state)
        return tip

    def keep_checkpoint(self, *, at_least: int = 1) -> None:
        """Writes a checkpoint if that many commits were made since the last one."""
        with self._lock:
            tip = self._tip
            if tip is not None and tip.state.serial - self._kept >= at_least:
                self._store.replace(CHECKPOINT, encode_checkpoint(tip))
                self._kept = tip.state.serial

    def _check_project(self, state: State) -> None:
        if self._project and state.project not in ("", self._project):
            detail = f'{self._store} records the project "{state.project}", and this is "{self._project}".'
            hint = f"give each project a workspace of its own; a renamed one keeps `project: {state.project}`"
            raise Refusal([codes.MLP4005.diagnostic(detail, hint=hint)])

    def _check_lease(self, state: State, now: State) -> None:
        if self.lost is not None:
            raise self.lost
        if not self.holding:
            raise Refusal([codes.MLP4103.diagnostic("A commit was refused: this process holds no lease.")])
        if state.lease is None or state.lease.id != self.holding or now.lease is None or now.lease.id != self.holding:
            raise lost(now)

    def _commit(self, entries: Sequence[Entry], command: str, check: Callable[[State], bool]) -> State | None:
        with self._lock:
            tip = self._load() if self._tip is None else self._tip
            if not self._listed:
                self._tip = tip = self._read_on(tip)
            token = os.urandom(8).hex()
            while check(tip.state):
                if tip.state.moved and not all(isinstance(entry, LeaseReleased) for entry in entries):
                    raise moved(tip.state)
                serial = tip.state.serial + 1
                commit = Commit(serial, self._now(), self._author.who, self._revision_now(), command, tuple(entries))
                lease = "" if tip.state.lease is None else tip.state.lease.id
                data, digest = encode_commit(commit, before=tip.digest, lease=lease, token=token)
                # A store that lost its answer says "taken" when asked again: look whose it is.
                if self._store.create(_name(serial), data) or self._store.get(_name(serial)) == data:
                    self._tip = Checkpoint(fold(tip.state, [commit]), digest)
                    self._remember()
                    self.keep_checkpoint(at_least=self._checkpoint_every)
                    return self._tip.state
                self._tip = tip = self._read_on(tip)
            return None

    def _load(self) -> Checkpoint:
        """The newest state, from the checkpoint on; from the first commit where there is no whole one."""
        seen = self._witness.recall() if self._witness is not None else None
        data = self._store.get(CHECKPOINT)
        start = (decode_checkpoint(data) if data else None) or _START
        self._kept = start.state.serial
        after = start.state.serial + 1
        is_last = self._asks_first and after > 1 and self._store.get(_name(after)) is None
        self._listed = not is_last
        names = () if is_last else self._store.list_from("log", _file(start.state.serial))
        if start.state.serial:
            self._anchor(start)
        tip = self._fold_from(start, names)
        if self._witness is not None:
            self._witness.check(tip, seen)
        self._tip = tip
        self._remember()
        return tip

    def _read_on(self, tip: Checkpoint) -> Checkpoint:
        self._listed = True
        after = self._fold_from(tip, self._store.list_from("log", _file(tip.state.serial + 1)))
        if after is not tip:
            self._tip = after
            self._remember()
        return after

    def _fold_from(self, tip: Checkpoint, names: Sequence[str]) -> Checkpoint:
        """The state after all commits that these names tell of. Where a name in between is absent, the commit is
        asked for all the same: a listing made while others write may have missed it."""
        last = max((_serial(name) for name in names), default=0)
        commits, digest = [], tip.digest
        plausible = tip.state.serial + len(names) + _MISSED
        serials = range(tip.state.serial + 1, min(last, plausible) + 1)
        for serial, data in zip(serials, self._store.get_many([_name(serial) for serial in serials]), strict=True):
            sealed = self._unseal(serial, data, digest)
            commits.append(sealed.commit)
            digest = sealed.digest
        return Checkpoint(fold(tip.state, commits), digest) if commits else tip

    def _anchor(self, start: Checkpoint) -> None:
        """Checks that the commit a checkpoint was made after is the one in the log."""
        sealed = self._get(start.state.serial, None)
        if sealed.digest != start.digest:
            raise Refusal([self._changed(start.state.serial, "is not the one that the checkpoint was made after")])

    def _get(self, serial: int, before: str | None) -> Sealed:
        """One commit, checked; `before` is the digest of its predecessor, None where that isn't known."""
        return self._unseal(serial, self._store.get(_name(serial)), before)

    def _unseal(self, serial: int, data: bytes | None, before: str | None) -> Sealed:
        name = _name(serial)
        if data is None:
            detail = f"{self._store}/{name} is gone, and the log is known to go on to it or beyond."
            raise Refusal([codes.MLP4002.diagnostic(detail, hint=_BACKUP)])
        try:
            sealed = decode_commit(data)
        except TooNew as error:
            detail = f"{self._store}/{name} has {error}."
            raise Refusal([codes.MLP4004.diagnostic(detail, hint="use a newer mlplan")]) from error
        except Damaged as error:
            detail = f"{self._store}/{name} can't be believed: {error}."
            raise Refusal([codes.MLP4001.diagnostic(detail, hint=_BACKUP)]) from error
        if sealed.commit.serial != serial:
            raise Refusal([self._changed(serial, f"holds commit {sealed.commit.serial}")])
        if before is not None and sealed.before != before:
            raise Refusal([self._changed(serial, f"doesn't follow from commit {serial - 1}")])
        return sealed

    def _changed(self, serial: int, what: str) -> Diagnostic:
        hint = "restore the whole folder log/ from one backup; `mlplan explain MLP4003` tells the other ways out"
        return codes.MLP4003.diagnostic(f"{self._store}/{_name(serial)} {what}.", hint=hint)

    def _remember(self) -> None:
        if self._witness is not None and self._tip is not None:
            self._witness.remember(self._tip)

    def _revision_now(self) -> str:
        if self._revision is None:
            self._revision = self._author.revision()
        return self._revision


def lost(now: State) -> Refusal:
    """What the holder of a lease is told that has ended; exit code 6, as others hold the workspace now."""
    if now.lease is None:
        by = "another apply took it over and is done, or `mlplan unlock` broke it"
    else:
        by = f"it was taken over by {now.lease.holder.get('who', 'another apply')} in commit {now.lease.serial}"
    detail = f"The lease of this apply has ended: {by}. Nothing more was done."
    hint = "once the other apply is done, go on with:\n\n    mlplan apply"
    return Refusal([codes.MLP4102.diagnostic(detail, hint=hint)], ExitCode.BUSY)


def moved(state: State) -> Refusal:
    """What everybody is told who would go on with a workspace that was moved away."""
    detail = f"This workspace was moved to {state.moved}; what is recorded here stays as it was then."
    hint = f"name the new place in the manifest:\n\n    workspace: {state.moved}"
    return Refusal([codes.MLP4006.diagnostic(detail, hint=hint)])


_BACKUP = "put the file back from a backup; `mlplan explain` with this code tells the other ways out"


def _file(serial: int) -> str:
    return f"{serial:020d}.json"


def _name(serial: int) -> str:
    return f"log/{_file(serial)}"


def _serial(name: str) -> int:
    """The serial that a file's name tells; 0 for other files, which are left alone."""
    number = name.removesuffix(".json")
    return int(number) if len(number) == 20 and number.isascii() and number.isdigit() and name != number else 0
