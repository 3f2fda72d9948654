"""What is told about references and the values they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplan.codes import meaning as codes
from mlplan.codes import read as read_codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest.nodes import Document, Mapping, Path, Scalar
from mlplan.manifest.references import ATTRIBUTES, VALUES, Mention
from mlplan.manifest.scalars import SURPRISES

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType
    from collections.abc import Sequence

    from mlplan.address import Address
    from mlplan.codes import Code
    from mlplan.json_types import Json
    from mlplan.source import Span


def unknown_resource(
    code: Code, named: Address, known: MappingType[str, Span], span: Span, address: Address | None
) -> Diagnostic:
    """A resource that isn't declared; `known` are those of its kind, each with the place of its name."""
    near = nearest(named.name, known)
    labels = [Label(span, f"no {named.kind} has this name")]
    hint = f"Declare it under `{named.kind}:`."
    if near:
        labels.append(Label(known[near], "a similar name is declared here"))
        hint = f"Did you mean `{near}`?"
    elif known:
        hint = f"Declared are: {', '.join(f'`{name}`' for name in sorted(known))}."
    return code.diagnostic(
        f"The manifest declares no {named.kind} `{named.name}`.", hint=hint, labels=labels, address=address
    )


def undeclared_variable(mention: Mention, near: str | None, span: Span, address: Address | None) -> Diagnostic:
    """A mention of a variable that isn't declared."""
    declare = f"Declare it:\n\n    variables:\n      {mention.name}: {{type: string}}"
    return codes.MLP3201.diagnostic(
        f"`var.{mention.name}` isn't declared under `variables:`.",
        hint=f"Did you mean `var.{near}`?" if near else declare,
        labels=[Label(span, "not declared")],
        address=address,
    )


def not_set(mention: Mention, near: str | None, span: Span, address: Address | None) -> Diagnostic:
    """A mention of an environment variable that isn't set."""
    return codes.MLP3206.diagnostic(
        f"The environment has no variable `{mention.name}`.",
        hint=f"Set it, for example:\n\n    export {mention.name}=..."
        + (f"\n\nOr did you mean `env.{near}`?" if near else ""),
        labels=[Label(span, "not set")],
        address=address,
    )


def reference_inside(name: str, origin: str, spans: Sequence[Span], address: Address | None = None) -> Diagnostic:
    """A value that would be filled in, and holds a reference itself."""
    return codes.MLP3209.diagnostic(
        f"The {origin} gives `{name}` a value with `${{{{` in it. What is filled in isn't looked into again: "
        "otherwise whoever sets it could reach secrets.",
        hint="Write the reference where the value is used, and give plain text here.",
        labels=[Label(span, "a reference inside a value") for span in spans],
        address=address,
    )


def reference_made(spans: Sequence[Span], address: Address | None) -> Diagnostic:
    """Values that together spell a reference."""
    return codes.MLP3209.diagnostic(
        "Filled in side by side, these values spell a reference that nobody wrote here.",
        hint="Give values without `$` and braces.",
        labels=[Label(span, "part of it") for span in spans],
        address=address,
    )


def unknown_attribute(mention: Mention, span: Span, address: Address | None) -> Diagnostic:
    """A mention of something that a resource doesn't tell."""
    known = ATTRIBUTES.get(mention.scope, ())
    named = f"{mention.scope}.{mention.name}"
    near = nearest(mention.attribute, known)
    listed = ", ".join(f"`{named}.{name}`" for name in known)
    what = f"`{mention.attribute}`" if mention.attribute else "that names no attribute"
    return codes.MLP3102.diagnostic(
        f"`{named}` tells nothing by {what}.",
        hint=f"Did you mean `{named}.{near}`?"
        if near
        else f"What it tells: {listed}."
        if listed
        else f"A {mention.scope} tells nothing.",
        labels=[Label(span, "no such attribute")],
        address=address,
    )


def malformed(mention: Mention, text: str, span: Span, address: Address | None) -> Diagnostic:
    """What stands between the braces and is no reference."""
    scopes = (*VALUES, *ATTRIBUTES)
    written = text[mention.start : mention.end]
    word = (mention.scope or mention.name).partition(".")[0].strip()
    near = nearest(word, (scope for scope in scopes if scope != word))
    forms = "`var.NAME`, `env.NAME`, `secret.NAME`, or a resource's attribute such as `dataset.NAME.path`"
    if not written.endswith("}}"):
        detail, hint = f"`{written[:60]}` isn't closed.", "Close it with `}}`."
    else:
        detail = f"`{written[:60]}` is no reference. Between the braces stands one name, and nothing is computed."
        hint = f"Did you mean `{near}{written[3:-2].strip()[len(word) :]}`?" if near else f"Write {forms}."
    return codes.MLP3103.diagnostic(detail, hint=hint, labels=[Label(span, "no reference")], address=address)


SECRETS_STAND = "Secrets may stand in the `env` of a run or an inference, and in the URLs of a dataset's `source`."


def out_of_place(mention: Mention, span: Span, path: Path, address: Address | None) -> Diagnostic:
    """A reference where its value can't be used."""
    field = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    if mention.scope == "secret":
        detail = f"A secret can't be used in `{field}`: there it would be recorded, or shown to others."
        hint = SECRETS_STAND
    else:
        detail = (
            f"`{field}` has to be known before anything runs, and "
            f"`{mention.scope}.{mention.name}.{mention.attribute}` is known only then."
        )
        hint = (
            "Resources' attributes may stand in a run's `arguments`, `command` and `env`, and an inference's `env`."
        )
    return codes.MLP3109.diagnostic(detail, hint=hint, labels=[Label(span, "not here")], address=address)


def unused_variable(document: Document, name: str) -> Diagnostic:
    """A variable that nothing uses."""
    variables = document.root.entries["variables"].value
    assert isinstance(variables, Mapping)
    return codes.MLP3204.diagnostic(
        f"Nothing uses `var.{name}`.",
        hint=f"Use it as `${{{{ var.{name} }}}}`, or delete it.",
        labels=[Label(document.span(variables.entries[name].key), "not used")],
    )


def surprise(document: Document, node: Scalar, taken: Json) -> Diagnostic:
    """The warning about a scalar that others read differently; `taken` is what it is taken for here."""
    mark, elsewhere = SURPRISES[node.surprise]
    hint = f'Quote it, so that all agree: "{node.text}".'
    if not isinstance(taken, str):
        hint = f"Write {taken}, or quote it if it is text."
    return read_codes.MLP1013.diagnostic(
        f"`{node.text}` is the {'text' if isinstance(taken, str) else 'number'} {taken} here, but {elsewhere}.",
        hint=hint,
        labels=[Label(document.span(node), mark)],
    )
