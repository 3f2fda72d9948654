"""What an environment asks for, the same whichever way it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlplan.errors import Refusal
from mlplan.lock.environment import EnvironmentRead, environment_request, read_environment, serving_requirements
from mlplan.lock.types import EnvironmentRequest
from mlplan.source import Span

HERE = Span("mlplan.yaml", 7, 3, 7, 9)


def read(spec: Mapping[str, Any], **files: str) -> EnvironmentRead:
    def text(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    places = {"packages.1": HERE, "file": HERE}
    return read_environment(spec, text, running="3.11", places=places)


def found(file: str, text: str, **spec: str) -> tuple[EnvironmentRequest | None, list[str]]:
    what = read({"file": file, **spec}, **{file: text})
    return what.request, [problem.code for problem in what.problems]


def test_the_four_ways_mean_the_same() -> None:
    inline = read({"packages": ["scikit-learn==1.5.2", "pandas>=2,<3"], "python": None, "file": None}).request
    assert inline == EnvironmentRequest("3.11", ("pandas<3,>=2", "scikit-learn==1.5.2"))
    text = "# ours\npandas<3, >=2\n\nScikit_Learn == 1.5.2  # pinned\n"
    toml = '[project]\nname = "x"\ndependencies = ["Scikit.Learn==1.5.2", "pandas >=2, <3"]\n'
    conda = "name: x\nchannels: [conda-forge]\ndependencies:\n- pandas>=2,<3\n- pip:\n  - scikit-learn==1.5.2\n"
    for file, content in (("r.txt", text), ("pyproject.toml", toml), ("conda.yml", conda)):
        request, problems = found(file, content)
        assert (request, problems) == (inline, [])
        assert request is not None
        assert inline is not None
        assert request.digest == inline.digest


def test_the_digest_tells_requests_apart() -> None:
    base = EnvironmentRequest("3.11", ("a",))
    others = [
        base._replace(python="3.12"),
        base._replace(requirements=("b",)),
        base._replace(indexes=("--pre",)),
        base._replace(constraints=("a<2",)),
    ]
    assert len({request.digest for request in [base, *others]}) == 5
    assert base.digest == EnvironmentRequest("3.11", ("a",)).digest


def test_a_malformed_pin_is_told_at_its_place() -> None:
    what = read({"packages": ["numpy", "pandas=2"]})
    assert what.request is None
    assert [(p.code, p.span) for p in what.problems] == [("MLP3401", HERE)]


def test_a_missing_file_is_told_at_its_place() -> None:
    what = read({"file": "missing.txt"})
    assert [(p.code, p.span) for p in what.problems] == [("MLP3306", HERE)]


@pytest.mark.parametrize(
    ("requires", "python"),
    [
        (">=3.10", "3.11"),
        (">=3.12", "3.14"),
        (">=3.8,<3.11", "3.10"),
        ("==3.9.*", "3.9"),
        (">=3.10,<4.0", "3.11"),
        ("~=3.10.2", "3.10"),
        ("!=3.11.*,>=3.9", "3.14"),
    ],
)
def test_python_is_the_running_one_where_it_fits_else_the_newest_that_does(requires: str, python: str) -> None:
    request, problems = found("pyproject.toml", f'[project]\nrequires-python = "{requires}"\ndependencies = []\n')
    assert problems == []
    assert request is not None
    assert request.python == python


def test_the_manifest_goes_before_the_file_about_python() -> None:
    conda = "dependencies: [python=3.6.2, numpy]\n"
    assert found("conda.yml", conda) == (None, ["MLP1310"])
    assert found("conda.yml", conda, python="3.12") == (EnvironmentRequest("3.12", ("numpy",)), [])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("[project\n", ["MLP1308"]),
        ("[tool.poetry.dependencies]\nnumpy = '1'\n", ["MLP1308"]),
        ("[project]\ndynamic = ['dependencies']\n", ["MLP1308"]),
        ("[project]\ndependencies = ['numpy=1']\n", ["MLP1301"]),
        ("[project]\ndependencies = ['own']\n[tool.uv.sources]\nOwn = {path = '../own'}\n", ["MLP1302"]),
        ("[project]\ndependencies = ['numpy']\n[tool.uv.sources]\nown = {path = '../own'}\n", []),
    ],
)
def test_pyproject(text: str, codes: list[str]) -> None:
    request, problems = found("pyproject.toml", text)
    assert problems == codes
    assert (request is None) == bool(codes)


def test_the_place_in_a_pyproject() -> None:
    text = "[project]\nname = 'x'\ndependencies = [\n  'six',\n  'numpy=1',\n]\n"
    what = read({"file": "pyproject.toml"}, **{"pyproject.toml": text})
    assert [p.span for p in what.problems] == [Span("pyproject.toml", 5, 4, 5, 11)]


def test_packages_of_the_retired_service_are_left_out_with_a_warning() -> None:
    what = read({"packages": ["azureml-defaults>=1.0", "numpy", "azureml-mlflow", "inference-schema[numpy-support]"]})
    assert what.request == EnvironmentRequest("3.11", ("inference-schema[numpy-support]", "numpy"))
    assert [(p.code, p.severity) for p in what.problems] == [("MLP1309", "warning")] * 2
    assert "azureml-mlflow" in what.problems[1].detail


def test_what_the_scoring_runtime_needs_is_added() -> None:
    extra = serving_requirements()
    assert any(requirement.startswith("httptools") for requirement in extra)
    request = environment_request({"packages": ["numpy"], "python": "3.11"}, root="/", extra=extra)
    assert request.requirements == tuple(sorted({"numpy", *extra}))


def test_all_that_is_wrong_is_raised_together() -> None:
    with pytest.raises(Refusal) as caught:
        environment_request({"packages": ["a=1", "b=1"]}, root="/")
    assert [problem.code for problem in caught.value.diagnostics] == ["MLP3401", "MLP3401"]
