"""Copies a workspace to another place, with proof: another folder or bucket, out of an archive, or into one.

The order makes an interrupted copy harmless. Artifacts come first, then the commits, the first of them last: a log
without its first commit is refused by whoever reads it. So a copy counts once it is whole, and not before. Begun
again, it goes on: what is there under its digest isn't sent again, what is there under a serial must be the same.

Everything is read back in the new place. What was copied there is what the digests in its names and in the log say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, cast

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.state.checkpoint import Checkpoint
from mlplan.state.encode import Damaged, TooNew, decode_commit
from mlplan.state.entries import Moved
from mlplan.state.kept import kept_trees
from mlplan.workspace.folder import refusal
from mlplan.workspace.log import Author, WorkspaceLog, moved
from mlplan.workspace.packs import Needs
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.shared_artifacts import artifact_name, names_of, note_name
from mlplan.workspace.store import ContentStore, Source
from mlplan.workspace.trees import decode_listing

if TYPE_CHECKING:
    from mlplan.state.records import State
    from mlplan.workspace.store import Store

AT_ONCE = 8
"""Files that are copied side by side."""

OnProgress = Callable[[int, int], None]
"""Called with the bytes that are done, and all there are."""


class Copied(NamedTuple):
    """What a copy holds, as it was read back."""

    serial: int  # of its last commit
    digest: str  # of its last commit; it stands for all before it, since each names its predecessor
    artifacts: int
    size: int  # of the artifacts, in bytes
    sent: int  # artifacts that weren't there before
    gone: int  # kept trees of the log's of which something wasn't there to be copied


def copy_workspace(
    source: Source,
    target: ContentStore,
    scratch: str,
    *,
    project: str,
    up_to: int | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> Copied:
    """Copies the log up to a serial, and all artifacts; `scratch` is a folder for files on their way.

    Raises: Refusal MLP4007 where the target holds another history, MLP4201 and MLP4202 for an artifact that is gone
    or damaged, MLP4006 for a source that was moved away, and what reading a log raises.
    """
    tip = tip_of(source, project, up_to)
    _check_alike(source, target, tip.state.serial)
    artifacts = content_of(source)
    with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as aside:
        sent = _send_artifacts(source, target, artifacts, aside, on_progress)
    _send_commits(source, target, tip.state.serial)
    there = tip_of(target, project)
    if (there.state.serial, there.digest) != (tip.state.serial, tip.digest):
        raise _other_history(target, f"ends at commit {there.state.serial}, {there.digest[:12]}")
    gone = trees_gone(source, artifacts, tip.state)
    return Copied(tip.state.serial, tip.digest, len(artifacts), sum(artifacts.values()), sent, gone)


def tip_of(source: Source, project: str, up_to: int | None = None) -> Checkpoint:
    """The end of a log, all of which is read and checked. Raises: Refusal."""
    log = WorkspaceLog(cast("Store", source), author=Author("", lambda: ""), project=project)  # it is only read
    tip = log.tip(up_to)
    if tip.state.moved:
        raise moved(tip.state)
    return tip


def content_of(source: Source) -> dict[str, int]:
    """The names and sizes of everything that is kept."""
    return {
        f"{folder}/{name}": size
        for folder in ("artifacts", "packs")
        for name, size in sorted(source.sizes(folder).items())
    }


def trees_gone(source: Source, artifacts: Mapping[str, int], state: State) -> int:
    """How many of the trees that a state keeps aren't whole among these artifacts."""
    trees = sorted(kept_trees(state))
    return in_parallel(lambda tree: _is_whole(source, artifacts, tree), trees, threads=AT_ONCE).count(False)


def _is_whole(source: Source, artifacts: Mapping[str, int], tree: str) -> bool:
    note = source.get(note_name(tree)) if note_name(tree) in artifacts else None
    needs = Needs.decode(note) if note else None
    if needs is None:
        try:
            files = decode_listing(source.get(artifact_name(tree)) or b"")
        except ValueError:
            return False
        needs = Needs({}, {entry.sha256: entry.size for entry in files})
    wanted = {artifact_name(tree), *names_of(needs)}
    return wanted <= artifacts.keys()


def log_names(source: Source) -> list[str]:
    """The names of all commits, in order."""
    return [f"log/{name}" for name in source.list_from("log") if len(name) == 25 and name.endswith(".json")]


def read_checked(source: Source, name: str, write: Callable[[bytes], object]) -> None:
    """Hands a kept file's bytes to `write`, all of them before it is told whether they are what the name promises.

    Raises: Refusal MLP4201, MLP4202."""
    digest = sha256()

    def take(piece: bytes) -> None:
        digest.update(piece)
        write(piece)

    if not source.download(name, take):
        hint = "put it back from a backup, or start the command again if `mlplan gc` was at work"
        raise Refusal([codes.MLP4201.diagnostic(f"{source}/{name} is gone.", hint=hint)])
    promised = name.partition("/")[2].replace("/", "")
    if not name.endswith(".json") and digest.hexdigest() != promised:
        hint = "put it back from a backup, or remove it: `mlplan plan` then says what will be made anew"
        raise Refusal([codes.MLP4202.diagnostic(f"{source}/{name} is damaged: it holds other bytes.", hint=hint)])


def _check_alike(source: Source, target: ContentStore, last: int) -> None:
    """Raises: Refusal MLP4007 where the target has a commit that the source hasn't."""
    names = log_names(target)
    goes_beyond = bool(names) and names[-1] > f"log/{last:020d}.json"
    what = "goes on beyond what is to be copied there" if goes_beyond else "holds other commits"
    pairs = zip(source.get_many(names), target.get_many(names), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        if ours != theirs:
            left = _left(theirs, *(after for _, after in pairs)) if number else None
            raise _left_behind(target, *left) if left else _other_history(target, what)
    if goes_beyond:
        raise _other_history(target, what)


def _left(*commits: bytes | None) -> tuple[str, str] | None:
    """The place to which these commits moved their history, and the day; None where they didn't."""
    for data in commits:
        with suppress(Damaged, TooNew):
            commit = decode_commit(data or b"").commit
            for entry in commit.entries:
                if isinstance(entry, Moved):
                    return entry.place, commit.time[:10]
    return None


def _left_behind(target: ContentStore, place: str, day: str) -> Refusal:
    detail = f"The log in {target} is this very history, as it was when it was moved from there to {place} on {day}."
    hint = "choose another place, such as another prefix; what was left behind there takes up no new commits"
    return Refusal([codes.MLP4007.diagnostic(detail, hint=hint)])


def _other_history(target: ContentStore, what: str) -> Refusal:
    hint = "choose an empty place, such as another prefix; nothing was changed there"
    return Refusal([codes.MLP4007.diagnostic(f"The log in {target} {what}.", hint=hint)])


def _send_artifacts(
    source: Source, target: ContentStore, artifacts: Mapping[str, int], aside: str, on_progress: OnProgress
) -> int:
    """Sends what the target hasn't, reads everything back there, and returns how many were sent."""
    from threading import Lock

    there, total = content_of(target), sum(artifacts.values())
    lock, done, sent = Lock(), 0, 0

    def bring(name: str) -> None:
        nonlocal done, sent
        is_new = there.get(name) != artifacts[name]
        if is_new:
            _send(source, target, name, aside)
        read_checked(target, name, lambda piece: None)
        with lock:
            done, sent = done + artifacts[name], sent + is_new
            on_progress(done, total)

    in_parallel(bring, list(artifacts), threads=AT_ONCE)
    return sent


def _send(source: Source, target: ContentStore, name: str, aside: str) -> None:
    path = os.path.join(aside, os.urandom(8).hex())
    try:
        with open(path, "xb") as stream:
            read_checked(source, name, stream.write)
        target.upload(name, path)
    except OSError as error:
        raise refusal(error, path) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _send_commits(source: Source, target: ContentStore, last: int) -> None:
    """Sends the commits that the target hasn't: the first one at the end, by which the copy counts."""
    there = set(log_names(target))
    missing = [name for name in log_names(source) if name not in there and name <= f"log/{last:020d}.json"]

    def send(name: str) -> None:
        data = source.get(name)
        if data is None or not (target.create(name, data) or target.get(name) == data):
            raise _other_history(target, "grew while it was written")

    in_parallel(send, missing[1:], threads=AT_ONCE)
    for name in missing[:1]:
        send(name)
