"""A plan kept in a file: written by `plan --out`, applied by `apply FILE` exactly, or refused as stale."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal

if TYPE_CHECKING:
    from mlplan.plan.changes import Plan


def write_plan_file(path: str, plan: Plan) -> None:
    """Writes it aside and renames it over, so that half a plan is never read."""
    from mlplan.views.plan_json import render

    aside = f"{path}.{os.getpid()}"
    with open(aside, "w", encoding="utf-8") as stream:
        stream.write(render(plan))
    os.replace(aside, path)


def read_plan_file(path: str) -> Plan:
    """The plan in a file. Raises: Refusal for what is no plan, was altered, or is from a newer mlplan."""
    from mlplan.views.plan_json import plan_from_json

    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal([codes.MLP5007.diagnostic(f"{path} can't be read: {error}.")]) from error
    return plan_from_json(text, file=os.path.basename(path)).plan


def check_plan_file(path: str, now: Plan) -> None:
    """Raises: Refusal with exit code 7, naming what moved, where a plan made now differs from the one in the file."""
    kept = read_plan_file(path)
    moved = what_moved(kept, now)
    if moved:
        raise Refusal(
            [
                codes.MLP5003.diagnostic(
                    f"{os.path.basename(path)} is not what would be applied now: {'; '.join(moved)}.",
                    hint="Make the plan again, and read it:\n    mlplan plan --out " + os.path.basename(path),
                )
            ],
            ExitCode.STALE,
        )


def what_moved(kept: Plan, now: Plan) -> list[str]:
    """In which ways two plans differ, in words; empty where they are the same. Pure."""
    found = []
    if kept.lineage != now.lineage:
        found.append("it was made on another workspace")
    elif kept.serial != now.serial:
        found.append(f"the state moved on from serial {kept.serial} to {now.serial}")
    if kept.manifest_digest != now.manifest_digest:
        found.append("the manifest, its profile or its variables changed")
    before = {change.address: change for change in kept.changes}
    after = {change.address: change for change in now.changes}
    for address in {**before, **after}:
        old, new = before.get(address), after.get(address)
        if old is None or new is None or old.action != new.action:
            found.append(f"{address} was `{old.action if old else '-'}`, is `{new.action if new else '-'}`")
        elif {n: p.digest for n, p in old.after.items()} != {n: p.digest for n, p in new.after.items()}:
            names = [n for n in {**old.after, **new.after} if old.after.get(n) != new.after.get(n)]
            found.append(f"{address}: {', '.join(names)} changed")
    return found
