"""Conda files, read for what a Python index can give."""

from __future__ import annotations

import pytest

from mlplan.lock.conda import CondaFile, read_conda, version_specifier


def read(text: str) -> CondaFile:
    def nothing(path: str) -> str:
        raise FileNotFoundError(path)

    return read_conda("conda.yml", text, nothing)


@pytest.mark.parametrize(
    ("rest", "specifier", "build"),
    [
        ("", "", ""),
        ("=1.2", "==1.2.*", ""),
        ("=1", "==1.*", ""),
        ("=1.2.3", "==1.2.3", ""),
        ("=1.2.*", "==1.2.*", ""),
        ("==1.2", "==1.2", ""),
        ("=1.2=py39_0", "==1.2.*", "py39_0"),
        ("==1.2=py39_0", "==1.2", "py39_0"),
        ("1.2", "==1.2", ""),
        ("1.2 py39_0", "==1.2", "py39_0"),
        (">=1", ">=1", ""),
        (">=1,<2", ">=1,<2", ""),
        ("*", "", ""),
    ],
)
def test_condas_versions_in_pips_words(rest: str, specifier: str, build: str) -> None:
    assert version_specifier(rest) == (specifier, build)


def test_a_whole_file_as_the_retired_service_scaffolded_it() -> None:
    found = read(
        "# Conda environment specification.\n"
        "# [AzureMlVersion] = 2\n"
        "name: project_environment\n"
        "dependencies:\n"
        "  # the version of Python\n"
        "- python=3.9\n"
        "- pip=20.0.*\n"
        "- pip:\n"
        "  - --extra-index-url https://host.example/simple\n"
        "  - numpy\n"
        "  - inference-schema[numpy-support]\n"
        "- scikit-learn=0.24\n"
        "- conda-forge::pandas 1.3.*\n"
        "channels:\n- conda-forge\n- anaconda\n"
    )
    assert found == CondaFile(
        "==3.9.*",
        ("numpy", "inference-schema[numpy-support]", "scikit-learn==0.24.*", "pandas==1.3.*"),
        (),
        ("--extra-index-url https://host.example/simple",),
        (),
    )


def test_what_only_conda_has_is_named_all_at_once_with_places() -> None:
    found = read("dependencies:\n- numpy\n- cudatoolkit=11.3\n- gcc_linux-64\n- r-base>=4\n- libgcc-ng\n- openmpi\n")
    (problem,) = found.problems
    assert problem.code == "MLP1307"
    assert [str(label.span) for label in problem.labels] == [f"conda.yml:{line}:3" for line in (3, 4, 5, 6, 7)]
    assert problem.detail == (
        "mlplan builds environments with uv from a Python index. Only conda has: `cudatoolkit=11.3`, `gcc_linux-64`, "
        "`r-base>=4`, `libgcc-ng`, `openmpi`."
    )


@pytest.mark.parametrize(
    ("item", "requirement"),
    [
        ("pytorch=1.13.1", "torch==1.13.1"),
        ("py-xgboost", "xgboost"),
        ("opencv", "opencv-python"),
        ("tensorflow-gpu=2.10", "tensorflow==2.10.*"),
        ("numpy=1.21.2=py39h20f2e39_0", "numpy==1.21.2"),
    ],
)
def test_another_name_or_a_build_is_a_warning(item: str, requirement: str) -> None:
    found = read(f"dependencies:\n- {item}\n")
    assert found.requirements == (requirement,)
    assert [(p.code, p.severity, str(p.span)) for p in found.problems] == [("MLP1306", "warning", "conda.yml:2:3")]


@pytest.mark.parametrize(
    "name", ["lightgbm", "graphviz", "protobuf", "gdown", "gitpython", "requests", "rpy2", "cmake"]
)
def test_packages_of_the_index_are_taken(name: str) -> None:
    assert read(f"dependencies: [{name}]").requirements == (name,)


def test_what_has_no_effect_is_a_warning() -> None:
    found = read("channels: [https://host.example/own]\nvariables: {A: b}\nplatforms: [x]\ndependencies: [numpy]\n")
    assert sorted((p.code, str(p.span)) for p in found.problems) == [
        ("MLP1306", "conda.yml:1:12"),
        ("MLP1306", "conda.yml:2:1"),
        ("MLP1306", "conda.yml:3:1"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dependencies: [\n", "conda.yml:2:1"),
        ("", "conda.yml:1:1"),
        ("- numpy\n", "conda.yml:1:1"),
        ("name: x\n", "conda.yml:1:1"),
    ],
)
def test_what_is_no_conda_file_is_refused(text: str, place: str) -> None:
    found = read(text)
    assert [(p.code, str(p.span)) for p in found.problems] == [("MLP1308", place)]


def test_a_line_under_pip_is_told_at_its_own_place() -> None:
    found = read("dependencies:\n- numpy\n- pip:\n  - six\n  - -e .\n  - pandas=1\n- {npm: [x]}\n- 'a|b'\n")
    assert [(p.code, str(p.span)) for p in found.problems] == [
        ("MLP1302", "conda.yml:5:5"),
        ("MLP1301", "conda.yml:6:5"),
        ("MLP1301", "conda.yml:1:1"),
        ("MLP1301", "conda.yml:8:4"),
    ]
