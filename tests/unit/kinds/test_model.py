"""Which files a model is: where it is looked for in what its run left, and what a path of the project holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlplan.errors import Refusal
from mlplan.kinds.model.desired import inside_outputs
from mlplan.kinds.model.files import model_files


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


def test_a_file_is_known_by_its_name_and_a_folder_by_its_own(tmp_path: Path) -> None:
    (tmp_path / "saved" / "deep").mkdir(parents=True)
    (tmp_path / "saved" / "a.bin").write_text("a")
    (tmp_path / "saved" / "deep" / "b.bin").write_text("b")
    assert sorted(model_files(str(tmp_path), "saved")) == ["saved/a.bin", "saved/deep/b.bin"]
    assert model_files(str(tmp_path), "saved/deep/b.bin") == {"b.bin": f"{tmp_path}/saved/deep/b.bin"}


def test_a_linked_folder_belongs_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "b.bin").write_text("b")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "weights").symlink_to("../blobs")
    assert list(model_files(str(tmp_path), "saved")) == ["saved/weights/b.bin"]


@pytest.mark.parametrize(
    ("link", "code"),
    [("", "MLP5102"), ("nowhere", "MLP5103"), (".", "MLP5103")],
    ids=["empty", "to nothing", "circle"],
)
def test_a_folder_that_is_no_whole_model_is_refused(link: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    if link:
        (tmp_path / "saved" / "link").symlink_to(link)
    with pytest.raises(Refusal) as refused:
        model_files(str(tmp_path), "saved")
    assert [problem.code for problem in refused.value.diagnostics] == [code]
