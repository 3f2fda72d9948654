"""A workspace, shown."""

from __future__ import annotations

import pytest

from mlplan.state.records import EMPTY
from mlplan.views.workspace import overview
from mlplan.workspace.protocols import Holder


@pytest.mark.parametrize(
    ("alive", "told"),
    [(True, "ann@laptop"), (None, "ann@laptop"), (False, "ann@laptop, which is gone: the next apply takes over")],
)
def test_a_holder_that_is_gone_is_not_said_to_hold_it(alive: bool | None, told: str) -> None:
    shown = overview("s3://b/p", EMPTY, Holder("1", "ann@laptop", alive, 3.0), {}, form="text")
    assert next(line for line in shown.splitlines() if "held by" in line).split("held by")[1].strip() == told
