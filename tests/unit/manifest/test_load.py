"""Loading as a whole: what comes out, where values come from, what the cache does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlplan.address import Address
from mlplan.json_types import Json
from mlplan.manifest.load import Loaded, load
from mlplan.manifest.resolved import Manifest, Move, Reference, Value
from mlplan.source import Span

MANIFEST = """\
version: 1
project: demo
variables:
  rate: {type: number, default: 0.01}
  folder: {default: data}
compute:
  laptop: {type: local, max_nodes: 2}
dataset:
  images: {source: "${{ var.folder }}/*.csv", tags: {size: 010, version: "1.10"}}
run:
  train:
    compute: laptop
    source: scripts
    script: train.py
    arguments: [--data, "${{ dataset.images.path }}", --rate, "${{ var.rate }}", 1.50]
    env: {TOKEN: "${{ secret.TOKEN }}", WORKERS: 4}
model:
  digits: {run: train, path: outputs/model.pkl, framework: {name: scikit-learn}}
deployment:
  service: {compute: laptop, models: ["digits:2"], port: 8000}
profiles:
  prod: {workspace: "s3://team/demo", deployment: {service: {replicas: 3}}, run: {train: {timeout: 2h}}}
moved:
  - {from: run.old, to: run.train}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("scripts/train.py", "data/one.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "mlplan.yaml").write_text(MANIFEST)
    return tmp_path


def _load(project: Path, **given: Any) -> Loaded:
    return load(str(project / "mlplan.yaml"), **{"environ": {}, **given})


def _manifest(project: Path, **given: Any) -> Manifest:
    loaded = _load(project, **given)
    assert loaded.manifest is not None, loaded.diagnostics
    return loaded.manifest


def _codes(project: Path, **given: Any) -> list[str]:
    return [diagnostic.code for diagnostic in _load(project, **given).diagnostics]


def _at(line: int, column: int, end_column: int) -> Span:
    return Span("mlplan.yaml", line, column, line, end_column)


def test_the_manifest(project: Path) -> None:
    manifest = _manifest(project)
    assert (manifest.file, manifest.root, manifest.project) == ("mlplan.yaml", str(project), "demo")
    assert (manifest.workspace, manifest.profile) == (".mlplan", "")
    assert [str(address) for address in manifest.resources] == [
        "compute.laptop",
        "dataset.images",
        "run.train",
        "model.digits",
        "deployment.service",
    ]
    assert manifest.moved == (Move(Address("run", "old"), Address("run", "train"), _at(24, 12, 19)),)
    assert manifest.variables == {"rate": Value(0.01, "default"), "folder": Value("data", "default")}
    assert manifest.secrets == ("TOKEN",)


def test_a_resource_is_resolved(project: Path) -> None:
    train = _manifest(project).resources[Address("run", "train")]
    assert train.spec == {
        "compute": "laptop",
        "source": "scripts",
        "script": "train.py",
        "command": None,
        "arguments": ["--data", "${{ dataset.images.path }}", "--rate", "0.01", "1.50"],
        "environment": None,
        "env": {"TOKEN": "${{ secret.TOKEN }}", "WORKERS": "4"},
        "timeout": None,
        "resources": {"cpu": None, "memory": None, "shm": None, "gpus": None},
        "description": "",
        "tags": {},
    }
    assert train.place == _at(11, 3, 8)
    assert train.references == (
        Reference(Address("compute", "laptop"), "", _at(12, 14, 20)),
        Reference(Address("dataset", "images"), "path", _at(15, 26, 52)),
    )


def test_a_dataset_has_a_list_of_sources_and_texts_as_written(project: Path) -> None:
    spec = _manifest(project).resources[Address("dataset", "images")].spec
    assert spec["source"] == ["data/*.csv"]
    assert spec["tags"] == {"size": "010", "version": "1.10"}


def test_a_pinned_model_is_a_reference_to_the_model(project: Path) -> None:
    service = _manifest(project).resources[Address("deployment", "service")]
    assert service.spec["models"] == ["digits:2"]
    assert service.references[1] == Reference(Address("model", "digits"), "", _at(20, 39, 49))


def test_places_of_written_fields(project: Path) -> None:
    places = _manifest(project).places
    assert places["project"] == _at(2, 10, 14)
    assert places["run.train"] == _at(11, 3, 8)
    assert places["run.train.arguments"] == _at(15, 5, 14)
    assert places["run.train.arguments.3"] == _at(15, 63, 80)
    assert "run.train.timeout" not in places


def test_a_profile_is_merged_and_its_values_have_its_places(project: Path) -> None:
    manifest = _manifest(project, profile="prod")
    assert (manifest.profile, manifest.workspace) == ("prod", "s3://team/demo")
    assert manifest.resources[Address("deployment", "service")].spec["replicas"] == 3
    assert manifest.resources[Address("deployment", "service")].spec["port"] == 8000
    assert manifest.resources[Address("run", "train")].spec["timeout"] == "2h"
    assert manifest.places["run.train.timeout"] == _at(22, 100, 102)
    assert manifest.digest != _manifest(project).digest


def test_a_variable_knows_where_its_value_comes_from(project: Path) -> None:
    (project / "values.yaml").write_text("rate: 0.1\n")
    files = [str(project / "values.yaml")]
    environ = {"MLPLAN_VAR_rate": "0.2", "MLPLAN_VAR_other": "x"}

    def rate(**given: Any) -> Value:
        return _manifest(project, **given).variables["rate"]

    assert rate(variable_files=files) == Value(0.1, "file values.yaml")
    assert rate(variable_files=files, environ=environ) == Value(0.2, "environment MLPLAN_VAR_rate")
    assert rate(variable_files=files, environ=environ, variables={"rate": "3"}) == Value(3, "command line")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "010", "010"), ("number", "1e-3", 0.001), ("number", " 5 ", 5), ("integer", "-2", -2),
        ("boolean", "true", True), ("boolean", "False", False),
    ],
)  # fmt: skip
def test_text_is_read_as_the_variable_s_type(project: Path, kind: str, text: str, value: Json) -> None:
    (project / "mlplan.yaml").write_text(
        f"version: 1\nproject: demo\nvariables: {{x: {{type: {kind}}}}}\n"
        'compute: {c: {type: local}}\nrun: {r: {compute: c, command: [echo, "${{ var.x }}"]}}\n'
    )
    found = _manifest(project, variables={"x": text}).variables["x"].value
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "many"), ("integer", "1.5"), ("boolean", "yes"), ("integer", "true"), ("number", "")],
)
def test_text_that_is_not_of_the_variable_s_type(project: Path, kind: str, text: str) -> None:
    (project / "mlplan.yaml").write_text(
        f"version: 1\nproject: demo\nvariables: {{x: {{type: {kind}}}}}\n"
        'dataset: {d: {source: "${{ var.x }}"}}\n'
    )
    assert _codes(project, variables={"x": text}) == ["MLP3203"]


def test_the_environment_s_values_are_filled_in(project: Path) -> None:
    (project / "mlplan.yaml").write_text(
        'version: 1\nproject: demo\nworkspace: "${{ env.PLACE }}/x"\n'
        'compute: {c: {type: local, max_nodes: "${{ env.N }}"}}\n'
    )
    manifest = _manifest(project, environ={"PLACE": "/tmp", "N": "3"})
    assert manifest.workspace == "/tmp/x"
    assert manifest.resources[Address("compute", "c")].spec["max_nodes"] == 3
    assert manifest.digest != _manifest(project, environ={"PLACE": "/tmp", "N": "4"}).digest


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    loaded = load(str(tmp_path), environ={})
    assert [diagnostic.code for diagnostic in loaded.diagnostics] == ["MLP1002"]


def test_diagnostics_come_in_the_order_of_the_file(project: Path) -> None:
    (project / "mlplan.yaml").write_text(MANIFEST.replace("laptop}", "x}").replace("port: 8000", "port: 0"))
    places = [diagnostic.span for diagnostic in _load(project).diagnostics]
    assert places == sorted(place for place in places if place)


HEAVY = (
    "yaml",
    "pydantic",
    "jsonschema",
    "packaging",
    "dataclasses",
    "pathlib",
    "subprocess",
    "asyncio",
    "typer",
    "rich",
)


def test_a_second_load_imports_no_parser(project: Path) -> None:
    """In a process of its own, since tests import all of them."""
    program = (
        "import sys\nfrom mlplan.manifest.load import load\n"
        f"loaded = load('mlplan.yaml', environ={{}}, cache='.mlplan/cache')\n"
        "assert loaded.manifest.places['run.train.script'].line == 14\n"
        f"print(loaded.manifest.digest, [name for name in {HEAVY} if name in sys.modules])"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program], cwd=project, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    )
    assert "yaml" in first
    assert second == f"{first.split()[0]} []\n"


def test_what_comes_from_the_cache_is_the_same(project: Path) -> None:
    (project / "mlplan.yaml").write_text(MANIFEST.replace('version: "1.10"', "on: yes"))
    cache = str(project / "cache")
    given = {"cache": cache, "variables": {"rate": "2"}, "profile": "prod"}
    first, second = _load(project, **given), _load(project, **given)
    assert second.diagnostics == first.diagnostics
    assert [diagnostic.code for diagnostic in second.diagnostics] == ["MLP1013", "MLP1013", "MLP1013"]
    assert second.sources == first.sources
    assert second.manifest is not None
    assert first.manifest is not None
    assert second.manifest._replace(places=dict(second.manifest.places)) == first.manifest


def test_each_input_counts_for_the_cache(project: Path) -> None:
    cache = str(project / "cache")
    text = MANIFEST.replace("2h}", "2h, env: {HOME_OF: '${{ env.HOME }}'}}")
    (project / "mlplan.yaml").write_text(text)
    (project / "values.yaml").write_text("rate: 0.1\n")
    given: list[dict[str, Any]] = [
        {},
        {"profile": "prod", "environ": {"HOME": "/a"}},
        {"profile": "prod", "environ": {"HOME": "/b"}},
        {"environ": {"MLPLAN_VAR_rate": "0.2"}},
        {"variables": {"rate": "0.3"}},
        {"variable_files": [str(project / "values.yaml")]},
    ]
    digests = [_manifest(project, cache=cache, **inputs).digest for inputs in given]
    assert digests == [_manifest(project, **inputs).digest for inputs in given]
    assert len(set(digests)) == len(given)
    (project / "mlplan.yaml").write_text(text.replace("8000", "8001"))
    assert _manifest(project, cache=cache).resources[Address("deployment", "service")].spec["port"] == 8001


def test_files_are_looked_for_although_the_manifest_is_cached(project: Path) -> None:
    cache = str(project / "cache")
    assert _codes(project, cache=cache) == ["MLP1013"]
    (project / "scripts" / "train.py").unlink()
    assert _codes(project, cache=cache) == ["MLP1013", "MLP3301"]
    assert _load(project, cache=cache).manifest is None
    (project / "scripts" / "train.py").touch()
    assert _codes(project, cache=cache) == ["MLP1013"]


def test_a_broken_manifest_is_not_cached(project: Path) -> None:
    (project / "mlplan.yaml").write_text(MANIFEST.replace("port: 8000", "port: 0"))
    assert _load(project, cache=str(project / "cache")).manifest is None
    assert not (project / "cache").exists()


def test_a_damaged_cache_is_as_good_as_none(project: Path) -> None:
    cache = project / "cache"
    manifest = _manifest(project, cache=str(cache))
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    for damaged in (
        b"",
        b"\n\n",
        whole[:100],
        whole[:-1],
        whole.replace(b"8000", b"8001"),
        b"\xff" + whole,
        b"{}\n{}\n{}",
    ):
        kept.write_bytes(damaged)
        assert _manifest(project, cache=str(cache)) == manifest
        assert kept.read_bytes() == whole
    assert json.loads(whole.split(b"\n")[1])["project"] == "demo"


def test_a_cache_that_can_not_be_written_is_no_error(project: Path) -> None:
    (project / "cache").touch()
    assert _load(project, cache=str(project / "cache")).manifest is not None


def test_no_environment_value_stands_in_the_cache_in_the_clear(project: Path) -> None:
    _manifest(project, cache=str(project / "cache"), environ={"MLPLAN_VAR_other": "hunter2", "TOKEN": "hunter2"})
    assert all("hunter2" not in file.read_text() for file in (project / "cache").iterdir())
    assert [file.name for file in (project / "cache").iterdir() if str(os.getpid()) in file.name] == []


def test_values_can_not_spell_a_reference_together(project: Path) -> None:
    (project / "mlplan.yaml").write_text(
        'version: 1\nproject: demo\nvariables: {a: {default: "$"}, b: {default: "{{ secret.TOKEN }}"}}\n'
        'compute: {c: {type: local}}\nrun: {r: {compute: c, command: [echo, "${{ var.a }}${{ var.b }}"]}}\n'
    )
    assert _codes(project) == ["MLP3209"]


def test_only_its_owner_can_read_the_cache(project: Path) -> None:
    _manifest(project, cache=str(project / "cache"))
    assert [file.stat().st_mode & 0o777 for file in (project / "cache").iterdir()] == [0o600]


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("project/scripts/deep/mlplan.yaml", "`../project` holds one: go there, or name it with `-C ../project`."),
        ("project/other.yaml", "Did you mean `mlplan.yaml`, which stands there? Name it with `-f`."),
        (
            "elsewhere/other.yaml",
            "Go to the project's folder or name it with `-C DIR`, and its manifest with `-f FILE`.",
        ),
        (
            "elsewhere/mlplan.yaml",
            "Go to the project's folder or name it with `-C DIR`, or begin a project:\n\n    mlplan init",
        ),
    ],
)
def test_a_manifest_that_is_not_there_is_looked_for(
    file: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / "scripts" / "deep").mkdir(parents=True)
    (tmp_path / "project" / "mlplan.yaml").write_text(MANIFEST)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (said,) = load(str(tmp_path / file), environ={}).diagnostics
    assert (said.code, said.hint) == ("MLP1001", hint)
