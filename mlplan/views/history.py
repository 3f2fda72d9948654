"""The log, shown: who changed what, when, from which revision; as text or JSON.

Times are UTC; how long ago they were stands beside them where `now` is given (seconds since 1970).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.state import entries as e
from mlplan.views.tables import as_json
from mlplan.views.values import SHORT_DIGEST, duration_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlplan.json_types import Json
    from mlplan.state.entries import Commit, Entry


def history(commits: Sequence[Commit], *, form: str, limit: int = 0, now: float | None = None) -> str:
    """The log, a commit a paragraph: who, when, from which revision, and what it says.

    The newest comes first. With a `limit` only so many are shown; the others still tell what those speak of.
    """
    begun = _begun(commits)
    commits = commits[:limit] if limit else commits
    if form == "json":
        return as_json([_commit_json(commit, begun) for commit in commits])
    if not commits:
        return "Nothing happened yet.\n"
    return "\n".join(_commit_text(commit, begun, now) for commit in commits)


def _begun(commits: Iterable[Commit]) -> dict[str, str]:
    """What each intent is about, by its key."""
    opened = (entry for commit in commits for entry in commit.entries if isinstance(entry, e.IntentOpened))
    return {intent.key: f"{intent.action} of {intent.address}" for intent in opened}


def _commit_json(commit: Commit, begun: Mapping[str, str]) -> Json:
    return {
        "serial": commit.serial,
        "time": commit.time,
        "who": commit.who,
        "revision": commit.revision,
        "command": commit.command,
        "entries": [entry_text(entry, begun) for entry in commit.entries],
    }


def _commit_text(commit: Commit, begun: Mapping[str, str], now: float | None) -> str:
    edited = "+" if commit.revision.endswith("+") else ""
    at = f", at {commit.revision[:SHORT_DIGEST]}{edited}" if commit.revision else ""
    head = f"{commit.serial}  {time_text(commit.time, now)}  {commit.who}, `{commit.command}`{at}\n"
    return head + "".join(f"    {entry_text(entry, begun)}\n" for entry in commit.entries)


def entry_text(entry: Entry, begun: Mapping[str, str]) -> str:
    """What an entry of the log says, in words. `begun` names intents by their keys."""
    match entry:
        case e.Created():
            return f"the workspace of {entry.project} began"
        case e.LeaseTaken():
            return "took the lease"
        case e.LeaseReleased():
            return "gave the lease back"
        case e.IntentOpened():
            return f"began to {entry.action} {entry.address}"
        case e.IntentClosed():
            why = f" ({entry.message})" if entry.message else ""
            return f"{begun.get(entry.key, 'an earlier change')}: {entry.outcome}{why}"
        case e.ResourceRecorded():
            return f"recorded {entry.address}"
        case e.ResourceRemoved():
            return f"removed {entry.address}"
        case e.ResourceMoved():
            return f"moved {entry.old} to {entry.new}"
        case e.Versioned():
            return f"registered {entry.address.kind} {entry.address.name}:{entry.number}"
        case e.RunEnded():
            return f"ran {entry.record.id}: {entry.record.status} after {duration_text(entry.record.duration_s)}"
        case e.SwitchStopped():
            return f"kept a candidate of {entry.address} from the traffic by {', '.join(entry.reports)}"
        case e.Moved():
            return f"moved the workspace to {entry.place}"
        case e.Collected():
            return f"collected {len(entry.digests)} artifacts"
