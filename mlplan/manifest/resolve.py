"""Makes the resolved specs of drafts: checks what was filled in, and adds the defaults (pydantic)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.address import Address
from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label
from mlplan.manifest import wording
from mlplan.manifest.nodes import Document, Path, Scalar, at
from mlplan.manifest.references import as_text, find

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from mlplan.manifest.drafts import Drafts
    from mlplan.manifest.resolved import Value


class Finished(NamedTuple):
    """The resolved spec of each draft that is whole and fits."""

    specs: dict[Address, dict[str, Any]]
    diagnostics: list[Diagnostic]


def finish(document: Document, drafts: Drafts, values: MappingType[str, Value], *, doomed: bool) -> Finished:
    """Checks what was filled in, and adds the defaults. What doesn't fit becomes a hole in its draft.

    `doomed`: there will be no manifest, because of other errors. Then what wasn't filled in isn't looked at.
    """
    touched = {path[:2] for path in drafts.filled}
    if doomed and not touched:
        return Finished({}, [])
    from pydantic import ValidationError

    from mlplan.manifest.models import SECTIONS, compute_models

    models = {**compute_models(), **SECTIONS}
    specs: dict[Address, dict[str, Any]] = {}
    diagnostics: list[Diagnostic] = []
    for address, draft in drafts.drafts.items():
        model = models.get(str(draft.spec.get("type")) if address.kind == "compute" else address.kind)
        if model is None or not (address in touched or (draft.whole and not doomed)):
            continue
        try:
            made = model.model_validate(draft.spec).model_dump(by_alias=True)
            if draft.whole:
                specs[address] = made
        except ValidationError as error:
            drafts.drafts[address] = draft._replace(whole=False)
            for problem in error.errors():
                path = _written_path(document, address, problem["loc"])
                if draft.whole or (path in drafts.filled and problem["input"] is not None):
                    diagnostics.append(_unfit(document, address, path, problem, values))
                    _make_hole(draft.spec, problem["loc"])
    return Finished(specs, diagnostics)


def _written_path(document: Document, address: Address, loc: tuple[str | int, ...]) -> Path:
    """The path of what pydantic speaks of, as far as it is written."""
    path: Path = tuple(address)
    for step in loc:
        try:
            at(document.root, (*path, step))
        except (KeyError, IndexError):
            break
        path = (*path, step)
    return path


def _make_hole(spec: Any, loc: tuple[str | int, ...]) -> None:
    for step in loc[:-1]:
        spec = spec[step]
    spec[loc[-1]] = None


def _unfit(
    document: Document, address: Address, path: Path, problem: Any, values: MappingType[str, Value]
) -> Diagnostic:
    node = at(document.root, path)
    text = node.text if isinstance(node, Scalar) else ""
    origins = [
        f"`var.{mention.name}` comes from the {values[mention.name].origin}"
        for mention in find(text)
        if mention.scope == "var" and mention.name in values
    ]
    shown = as_text(problem["input"]) if isinstance(problem["input"], (str, int, float)) else "a list or mapping"
    return codes.MLP3208.diagnostic(
        f"`{wording.name(path)}` becomes `{shown}`; it has to be {wording.unfit(problem)}.",
        hint=f"Give another value: {'; '.join(origins)}." if origins else "Give another value.",
        labels=[Label(document.span(node), f"becomes {shown[:40]}")],
        address=address,
    )
