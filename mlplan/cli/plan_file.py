"""A plan kept in a file: written by `plan --out`, applied by `apply FILE` exactly, or refused as stale."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.codes import plan as codes
from mlplan.errors import ExitCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplan.plan.changes import Plan
    from mlplan.views.plan_context import Context
    from mlplan.views.plan_reading import PlanFile


def write_plan_file(path: str, plan: Plan, context: Context, again: Callable[[], Plan]) -> None:
    """Writes it aside and renames it over, so that half a plan is never read.

    `again` plans once more: where the file itself counts as code or data of the project, it would be stale as soon as
    it is written. Raises: Refusal (MLP5016) then, and where it can't be written.
    """
    from mlplan.cli.writing import place_for
    from mlplan.views.plan_json import render

    try:
        place = place_for(path)
        if not _is_free(place):
            detail = f"{path} can't be written: it holds something else than a plan."
            raise Refusal([codes.MLP5016.diagnostic(detail, hint="Name another file, or remove that one.")])
        aside = f"{place}.{os.getpid()}"
        with open(aside, "w", encoding="utf-8") as stream:
            stream.write(render(plan, context=context))
        os.replace(aside, place)
    except OSError as error:
        detail = f"{path} can't be written: {(error.strerror or str(error)).lower()}."
        raise Refusal(
            [codes.MLP5016.diagnostic(detail, hint="Name a file in a folder that you may write to.")]
        ) from error
    moved = what_moved(plan, again())
    if moved:
        os.unlink(place)
        detail = f"{path} would be stale as soon as it is written: {'; '.join(moved)}."
        hint = "Keep it where the project doesn't count it:\n    mlplan plan --out mlplan-plan.json"
        raise Refusal([codes.MLP5016.diagnostic(detail, hint=hint)])


def _is_free(place: str) -> bool:
    """Whether a plan that is written there takes the place of nothing, or of another plan, whoever made that."""
    if not os.path.exists(place) or os.path.getsize(place) == 0:
        return True
    try:
        read_plan_file(place)
    except Refusal as refusal:
        return refusal.diagnostics[0].code in ("MLP1202", "MLP1203")  # newer than this mlplan, or altered
    return True


def read_plan_file(path: str) -> PlanFile:
    """What is in a plan file. Raises: Refusal for what is no plan, was altered, or is from a newer mlplan."""
    from mlplan.views.plan_reading import plan_from_json

    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is no text in UTF-8"
        hint = "Name a file that was written by\n    mlplan plan --out FILE"
        raise Refusal([codes.MLP5007.diagnostic(f"`{path}` can't be read: {why}.", hint=hint)]) from error
    return plan_from_json(text, file=os.path.basename(path))


def check_plan_file(path: str, kept: Plan, now: Plan) -> None:
    """Raises: Refusal with exit code 7, naming what moved, where a plan made now differs from the one in the file."""
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
