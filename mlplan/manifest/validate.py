"""What the schema can't catch: cycles, scripts outside their source, packages, ports, gates, moves, idle fields.

Looks at drafts, from which whatever is wrong already was left out, so that nothing is told twice. Files: `files.py`.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from mlplan.address import Address, parse_address
from mlplan.codes import meaning as codes
from mlplan.diagnostics import Diagnostic, Label, nearest
from mlplan.manifest.check import without_effect
from mlplan.manifest.files import is_written_outside
from mlplan.manifest.gates import parse_gate
from mlplan.manifest.misreferences import SECRETS_STAND
from mlplan.manifest.nodes import Document, Items, Mapping, Scalar
from mlplan.manifest.resolved import Move, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as MappingType

    from mlplan.manifest.check import Checked
    from mlplan.manifest.drafts import Draft
    from mlplan.source import Span

Drafts = dict[Address, "Draft"]
Places = dict[str, "Span"]


def validate(drafts: Drafts, places: Places) -> list[Diagnostic]:
    """What is wrong between and inside resources, the disk aside."""
    found = [*_cycles(drafts), *_ports(drafts, places)]
    for address, draft in drafts.items():
        for check in _CHECKS.get(address.kind, ()):
            found += check(draft, drafts, places)
    return found


def _place(places: Places, draft: Draft, *path: str | int) -> Span:
    """The place of a field; of the nearest thing around it that is written."""
    steps = [str(draft.address), *(str(step) for step in path)]
    while ".".join(steps) not in places:
        steps.pop()
    return places[".".join(steps)]


def _cycles(drafts: Drafts) -> Iterator[Diagnostic]:
    done: set[Address] = set()
    for start in drafts:
        cycle = _cycle_from(start, drafts, done)
        if cycle:
            names = [f"`{address}`" for address, _ in cycle]
            ring = f"{names[0]} needs {', which needs '.join([*names[1:], names[0]])}"
            first, *others = cycle
            yield codes.MLP3108.diagnostic(
                f"{ring}: none of them could be the first." if others else f"{names[0]} needs itself.",
                hint="Take one of these references out.",
                labels=[
                    Label(first[1].place, f"needs {first[1].address}"),
                    *(Label(reference.place, f"needs {reference.address}") for _, reference in others),
                ],
                address=first[0],
            )


def _cycle_from(start: Address, drafts: Drafts, done: set[Address]) -> list[tuple[Address, Reference]] | None:
    """A cycle that can be reached from `start`, as addresses each with the reference that leads on; each once."""
    trail: list[tuple[Address, Iterator[Reference]]] = []
    steps: list[tuple[Address, Reference]] = []
    on_trail: set[Address] = set()

    def enter(address: Address) -> None:
        on_trail.add(address)
        trail.append((address, iter(drafts[address].references)))

    if start in done:
        return None
    enter(start)
    cycle = None
    while trail:
        address, waiting = trail[-1]
        reference = next(waiting, None)
        if reference is None:
            trail.pop()
            on_trail.discard(address)
            done.add(address)
            if steps:
                steps.pop()
        elif reference.address in on_trail:
            steps.append((address, reference))
            begin = next(index for index, step in enumerate(steps) if step[0] == reference.address)
            cycle = cycle or steps[begin:]
            steps = steps[:-1]
        elif reference.address not in done and reference.address in drafts:
            steps.append((address, reference))
            enter(reference.address)
    return cycle


def _ports(drafts: Drafts, places: Places) -> Iterator[Diagnostic]:
    """Two services that would listen on one port of one machine: every target's ports are this machine's."""
    taken: dict[int, list[Draft]] = {}
    for address, draft in drafts.items():
        port = draft.spec.get("port")
        if address.kind != "deployment" or not isinstance(port, int):
            continue
        for other in taken.setdefault(port, []):
            if _same_host(draft, other):
                yield codes.MLP3402.diagnostic(
                    f"`{address}` and `{other.address}` both listen on port {port}, and only one of them can.",
                    hint="Give one of them another port.",
                    labels=[
                        Label(_place(places, draft, "port"), "taken already"),
                        Label(_place(places, other, "port"), f"by `{other.address}`"),
                    ],
                    address=address,
                )
                break
        taken[port].append(draft)


_EVERYWHERE = ("0.0.0.0", "::")
_LOCAL = {"localhost": "127.0.0.1"}


def _same_host(one: Draft, two: Draft) -> bool:
    hosts = {draft.spec.get("host", "127.0.0.1") for draft in (one, two)}
    if None in hosts:
        return False
    return len({_LOCAL.get(host, host) for host in hosts}) == 1 or any(host in _EVERYWHERE for host in hosts)


def _script(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    field = "script" if draft.address.kind == "run" else "entry_script"
    script, source = draft.spec.get(field), draft.spec.get("source", ".")
    if script and source and is_written_outside(script):
        inside = os.path.relpath(os.path.join(source, script), source) if not os.path.isabs(script) else ""
        near = inside if inside and not is_written_outside(inside) else ""
        yield codes.MLP3309.diagnostic(
            f"`{script}` leads out of `{source}`. Only what is in `source` is snapshotted and can run.",
            hint=f"Did you mean `{near}`?"
            if near
            else "Move it below `source`, or set `source` to a folder around both.",
            labels=[Label(_place(places, draft, field), "outside its source")],
            address=draft.address,
        )


def _packages(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    seen: dict[str, int] = {}
    for index, package in enumerate((draft.spec.get("environment") or {}).get("packages") or ()):
        if package is None:
            continue
        place = _place(places, draft, "environment", "packages", index)
        try:
            requirement = Requirement(package)
        except InvalidRequirement:
            requirement = None
        if requirement is None or requirement.name.endswith(("_", "-", ".")):  # packaging lets `name_` pass
            yield codes.MLP3401.diagnostic(
                f"`{package}` is no package as pip takes it.",
                hint=_package_hint(package),
                labels=[Label(place, "not a package")],
                address=draft.address,
            )
            continue
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None:
            continue
        first = seen.setdefault(name, index)
        if first != index:
            yield codes.MLP3407.diagnostic(
                f"`{requirement.name}` is listed twice, so it isn't clear which of the two holds.",
                hint="Keep one of them.",
                labels=[
                    Label(place, "the second time"),
                    Label(_place(places, draft, "environment", "packages", first), "the first time"),
                ],
                address=draft.address,
            )


def _package_hint(package: str) -> str:
    name, one, version = package.partition("=")
    if one and version and not version.startswith("=") and name.strip().replace("-", "").replace("_", "").isalnum():
        return f"Did you mean `{name.strip()}=={version.strip()}`? A single `=` is conda's."
    if package.startswith("-"):
        return "Options of pip belong into a requirements.txt: `environment: {file: requirements.txt}`."
    return "Write it like this: scikit-learn==1.5.2, or scikit-learn>=1.4,<2."


def _model_path(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    path = draft.spec.get("path")
    if not isinstance(path, str):
        return
    normal = posixpath.normpath(path)
    leaves = normal.split("/")[0] in ("", "..") or (path.startswith("outputs/") and normal.split("/")[0] != "outputs")
    if leaves:
        yield codes.MLP3410.diagnostic(
            f"`{path}` leads out of the folder `outputs`, and nothing else of a run is kept.",
            hint="Let the script write the model below `outputs`, and write the path like this: outputs/model.pkl.",
            labels=[Label(_place(places, draft, "path"), "not below `outputs`")],
            address=draft.address,
        )
    elif normal in (".", "outputs"):
        yield codes.MLP3410.diagnostic(
            f"`{path}` is all that a run leaves, its metrics too, and no model in it.",
            hint="Name a file or a folder in it, like this: outputs/model.pkl.",
            labels=[Label(_place(places, draft, "path"), "a folder for all outputs")],
            address=draft.address,
        )


def _gates(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    gates = draft.spec.get("require") or ()
    if gates and draft.spec.get("file"):
        yield codes.MLP3408.diagnostic(
            f"`{draft.address}` comes from a file, so there are no metrics that its gates could look at.",
            hint="Delete `require`, or let a run make the model.",
            labels=[Label(_place(places, draft, "require"), "no metrics")],
            address=draft.address,
        )
        return
    for index, gate in enumerate(gates):
        if gate is not None and parse_gate(gate) is None:
            yield codes.MLP3404.diagnostic(
                f"`{gate}` is no gate. A gate compares one metric with a number, or with the deployed version's.",
                hint="Write it like this: accuracy >= 0.9, or accuracy >= deployed.accuracy - 0.01.",
                labels=[Label(_place(places, draft, "require", index), "not a gate")],
                address=draft.address,
            )


def _no_code(draft: Draft, drafts: Drafts, places: Places) -> Iterator[Diagnostic]:
    """A deployment without an entry script serves one scikit-learn model."""
    inference = draft.spec.get("inference", "")
    scorer = drafts.get(Address("inference", inference)) if inference else None
    if inference is None or (inference and (scorer is None or not scorer.whole or scorer.spec.get("entry_script"))):
        return
    models = [model for model in draft.spec.get("models") or () if model]
    if len(models) > 1:
        yield codes.MLP3405.diagnostic(
            f"`{draft.address}` serves {len(models)} models, and nothing says how they are asked.",
            hint="Write an entry script and name it in an inference, or serve one model.",
            labels=[Label(_place(places, draft, "models"), "more than one model")],
            address=draft.address,
        )
    for index, name in enumerate(models[:1]):
        model = drafts.get(Address("model", name.partition(":")[0]))
        if model is None or not model.whole:
            continue
        framework = (model.spec.get("framework") or {}).get("name", "")
        if framework.lower() not in ("scikit-learn", "sklearn"):
            what = f"is made with `{framework}`" if framework else "doesn't say what it is made with"
            yield codes.MLP3405.diagnostic(
                f"Without an entry script only a scikit-learn model can be served, and `{model.address}` {what}.",
                hint="Write an entry script and name it in an inference. If it is a scikit-learn model, say so:\n\n"
                "    framework: {name: scikit-learn}",
                labels=[
                    Label(_place(places, draft, "models", index), "can't serve itself"),
                    Label(_place(places, model, "framework"), "not scikit-learn"),
                ],
                address=draft.address,
            )


def _open_service(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    host = draft.spec.get("host", "127.0.0.1")
    if draft.spec.get("auth") == "none" and host and host not in ("127.0.0.1", "localhost", "::1"):
        yield codes.MLP3409.diagnostic(
            f"`{draft.address}` listens on {host} and asks for no key: whoever reaches the machine may use it.",
            hint="Write `auth: key`, or leave `host` out so that only this machine reaches it.",
            labels=[
                Label(_place(places, draft, "auth"), "no key needed"),
                Label(_place(places, draft, "host"), "open to the network"),
            ],
            address=draft.address,
        )


def _without_effect(draft: Draft, drafts: Drafts, places: Places) -> Iterator[Diagnostic]:
    compute = drafts.get(Address("compute", draft.spec.get("compute") or ""))
    kind = compute.spec.get("type") if compute else None
    if kind is None:
        return
    for field, why in without_effect(kind).items():
        section, *path = field.split(".")
        if section == draft.address.kind and _written(draft.spec, path):
            yield codes.MLP3406.diagnostic(
                f"`{'.'.join(path)}` has no effect on a compute of type {kind}. {why}",
                hint="Delete it.",
                labels=[Label(_place(places, draft, *path), "no effect")],
                address=draft.address,
            )


def _written(spec: Any, path: list[str]) -> bool:
    for step in path:
        if not isinstance(spec, dict) or step not in spec:
            return False
        spec = spec[step]
    return True


def _secret_sources(draft: Draft, _: Drafts, places: Places) -> Iterator[Diagnostic]:
    """A secret belongs into a URL, and there not where the file's name is read."""
    for index, source in enumerate(draft.spec.get("source") or ()):
        if not source or "${{" not in source:
            continue
        path = source.partition("?")[0].partition("#")[0].partition("://")[2].partition("/")[2]
        is_url = source[:8].lower().startswith(("http://", "https://"))
        if is_url and "${{" not in path.rpartition("/")[2]:
            continue
        why = ", where the file's name is read" if is_url else ", only in a URL"
        yield codes.MLP3109.diagnostic(
            f"A secret can't be used here{why}: names are recorded, and shown to others.",
            hint=SECRETS_STAND,
            labels=[Label(_place(places, draft, "source", index), "a secret in a name")],
            address=draft.address,
        )


_CHECKS = {
    "dataset": (_secret_sources,),
    "run": (_script, _packages, _without_effect),
    "model": (_model_path, _gates),
    "inference": (_script, _packages),
    "deployment": (_no_code, _open_service, _without_effect),
}


def moves(
    document: Document, checked: Checked, drafts: MappingType[Address, Draft]
) -> tuple[list[Move], list[Diagnostic]]:
    """The entries of `moved`, and what is wrong with them."""
    section = document.root.entries.get("moved")
    made: list[Move] = []
    found: list[Diagnostic] = []
    if section is None or not isinstance(section.value, Items):
        return made, found
    for index, item in enumerate(section.value.items):
        path = ("moved", index)
        if any(bad[:2] == path for bad in (*checked.bad, *checked.incomplete)) or not isinstance(item, Mapping):
            continue
        old, new = item.entries["from"].value, item.entries["to"].value
        assert isinstance(old, Scalar)
        assert isinstance(new, Scalar)
        nowhere = Address("", "")
        move = Move(parse_address(old.text) or nowhere, parse_address(new.text) or nowhere, document.span(old))
        problem = _move_problem(move, old.text, new.text, made, drafts)
        if problem is None:
            made.append(move)
            continue
        at_new, detail, hint = problem
        found.append(
            codes.MLP3403.diagnostic(
                detail, hint=hint, labels=[Label(document.span(new if at_new else old), "can't be moved")]
            )
        )
    return made, found


def _move_problem(
    move: Move, old: str, new: str, earlier: list[Move], drafts: MappingType[Address, Draft]
) -> tuple[bool, str, str] | None:
    """Whether the fault lies at `to`, what it is, what to do."""
    for at_new, text, address in ((False, old, move.old), (True, new, move.new)):
        if not address.kind:
            return at_new, f"`{text}` is no address.", "Write the kind and the name: run.train."
    if move.old.kind != move.new.kind:
        return True, f"A {move.old.kind} can't become a {move.new.kind}.", "Both ends are of the same kind."
    if move.old.kind in ("compute", "deployment"):
        return (
            False,
            f"A {move.old.kind} is known by its name, and has no history that could move.",
            "Delete this entry; `mlplan plan` says what comes of the new name.",
        )
    if move.old in drafts:
        return False, f"`{old}` is still declared, so it hasn't moved.", "Rename it, or delete this entry."
    if move.new not in drafts:
        near = nearest(new, (str(address) for address in drafts))
        return (
            True,
            f"The manifest declares no `{new}`.",
            f"Did you mean `{near}`?" if near else "Declare it, or delete this entry.",
        )
    if any(move.old == other.old for other in earlier):
        return False, f"`{old}` moves twice.", "Keep one of the two entries."
    if any(move.new == other.new for other in earlier):
        return True, f"Two resources can't both become `{new}`.", "Keep one of the two entries."
    return None
