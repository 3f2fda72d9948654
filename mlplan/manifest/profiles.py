"""Merges a profile into a manifest, node by node, so that every value keeps its own place."""

from __future__ import annotations

from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest.nodes import Document, Entry, Mapping, Node

_NEVER = ("version", "project", "profiles", "moved")
"""What a profile can't alter; the schema says so too."""


def with_profile(document: Document, name: str) -> tuple[Document, list[Diagnostic]]:
    """The document as the profile makes it; the document itself where none is asked for or there is no such one."""
    if not name:
        return document, []
    profiles = document.root.entries.get("profiles")
    known = profiles.value.entries if profiles and isinstance(profiles.value, Mapping) else {}
    if name not in known:
        near = nearest(name, known)
        declared = ", ".join(f"`{profile}`" for profile in known)
        return document, [
            codes.MLP3207.diagnostic(
                f"The manifest has no profile `{name}`.",
                hint=f"Did you mean `{near}`?"
                if near
                else f"Its profiles are: {declared}."
                if declared
                else "Declare it under `profiles:`, or leave out `--profile`.",
                labels=[Label(document.span(profiles.key), "the profiles")] if profiles else [],
            )
        ]
    overlay = known[name].value
    if not isinstance(overlay, Mapping):
        return document, []  # the schema says what is wrong with it
    kept = Mapping(overlay.place)
    kept.entries = {key: entry for key, entry in overlay.entries.items() if key not in _NEVER}
    merged = _merged(document.root, kept)
    return Document(document.source, merged), []


def _merged(base: Mapping, overlay: Mapping) -> Mapping:
    made = Mapping(base.place)
    made.entries = dict(base.entries)
    for key, entry in overlay.entries.items():
        before = base.entries.get(key)
        made.entries[key] = entry if before is None else Entry(before.key, _value(before.value, entry.value))
    return made


def _value(base: Node, overlay: Node) -> Node:
    if isinstance(base, Mapping) and isinstance(overlay, Mapping):
        return _merged(base, overlay)
    return overlay
