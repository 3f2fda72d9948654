"""Where a model is looked for in what its run left."""

from __future__ import annotations

import pytest

from mlplan.kinds.model.desired import inside_outputs


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("outputs/model.pkl", "model.pkl"),
        ("./outputs/model.pkl", "model.pkl"),
        ("outputs//deep/./model/", "deep/model"),
        ("model.pkl", "model.pkl"),
        ("outputs_v2/model.pkl", "outputs_v2/model.pkl"),
        ("outputs.pkl", "outputs.pkl"),
        ("outputs/outputs/model.pkl", "outputs/model.pkl"),
        (".hidden/model.pkl", ".hidden/model.pkl"),
    ],
)
def test_a_path_below_the_outputs(path: str, inside: str) -> None:
    assert inside_outputs(path) == inside
