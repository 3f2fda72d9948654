"""A workspace, shown: where it is, how far its log goes, who holds it, what it keeps; as text or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.views.tables import as_json, facts
from mlplan.views.values import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.state.records import State
    from mlplan.workspace.protocols import Holder

FORMAT_VERSION = "1.0"


def overview(
    place: str, state: State, holder: Holder | None, kept: Mapping[str, int], *, form: str, encrypted: bool = False
) -> str:
    """What `mlplan workspace show` prints; `kept` is the size of each kept file by its name."""
    size = sum(kept.values())
    if form == "json":
        return as_json(
            {
                "format_version": FORMAT_VERSION,
                "place": place,
                "moved": state.moved or None,
                "encrypted": encrypted,
                "project": state.project,
                "lineage": state.lineage,
                "serial": state.serial,
                "open_intents": len(state.intents),
                "holder": None if holder is None else holder.description,
                "kept_files": len(kept),
                "kept_bytes": size,
            }
        )
    return facts(
        place,
        {
            "moved to": state.moved,
            "encrypted": "by mlplan, before it is sent" if encrypted else "not by mlplan",
            "project": state.project or "none yet",
            "history": f"{state.serial} commits, lineage {state.lineage[:12]}" if state.serial else "nothing yet",
            "held by": _holder_text(holder),
            "kept": f"{len(kept)} files, {size_text(size)}",
        },
    )


def _holder_text(holder: Holder | None) -> str:
    if holder is None:
        return "nobody"
    return (
        f"{holder.description}, which is gone: the next apply takes over"
        if holder.alive is False
        else holder.description
    )
