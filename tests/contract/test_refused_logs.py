"""What a candidate printed that did not go live."""

from __future__ import annotations

import pytest
from on_targets import accept, silent

from mlplan.errors import Refusal
from mlplan.targets.protocols import Target

from .test_services import MakeService, refuse


def test_the_log_of_a_candidate_that_did_not_go_live_is_kept_until_one_does(
    target: Target, service: MakeService
) -> None:
    assert target.services.refused("scorer") == ""
    with pytest.raises(Refusal, match="wrong answer"):
        target.services.deploy(service("one"), refuse, silent)
    with open(target.services.refused("scorer"), encoding="utf-8") as stream:
        assert "loading the model of scorer" in stream.read()

    target.services.deploy(service("one"), accept, silent)
    assert target.services.refused("scorer") == ""

    with pytest.raises(Refusal, match="wrong answer"):
        target.services.deploy(service("two"), refuse, silent)
    assert any("candidate of scorer" in thing for thing in target.unused())
    target.services.delete("scorer")
    assert target.services.refused("scorer") == ""
