"""Whole projects, rendered, against their golden files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_cases import CASES, NAMES, manifest, rendered

from mlplan.address import Address
from mlplan.errors import Refusal
from mlplan.kinds.deployment.desired import environment_of
from mlplan.lock.types import EMPTY
from mlplan.render.project import render_project, serving_environment

UV = Path(CASES).parents[2] / "templates" / "docker" / "uv.txt"


@pytest.mark.parametrize("case", NAMES)
def test_files_are_as_expected(case: str, update_golden: bool) -> None:
    expected = CASES / case / "expected"
    files = dict(rendered(case))
    for path in [path for path in files if path.endswith("/uv.txt")]:
        assert files.pop(path) == UV.read_text()
    if update_golden:
        for path, text in files.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text)

    found = {str(p.relative_to(expected)): p.read_text() for p in sorted(expected.rglob("*")) if p.is_file()}
    assert files == found


@pytest.mark.parametrize("case", NAMES)
def test_files_are_the_same_whoever_renders_them(case: str) -> None:
    program = (
        "import hashlib, sys\nfrom project_cases import rendered\n"
        f"print(hashlib.sha256(repr(list(rendered({case!r}).items())).encode()).hexdigest())"
    )
    here = hashlib.sha256(repr(list(rendered(case).items())).encode()).hexdigest()
    digests = set()
    for seed in ("1", "2"):
        environ = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "USER": f"user{seed}",
            "TZ": "Asia/Tokyo",
            "PYTHONPATH": os.path.dirname(__file__),
        }
        done = subprocess.run(
            [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout.strip())

    assert digests == {here}


@pytest.mark.parametrize("case", NAMES)
def test_no_file_holds_a_secret_or_a_path_of_this_machine(case: str) -> None:
    for path, text in rendered(case).items():
        assert "s3cret" not in text, path
        assert str(CASES) not in text, path
        assert "\r" not in text, path
        assert text.endswith("\n"), path


def test_an_environment_that_is_not_pinned_is_named() -> None:
    with pytest.raises(Refusal) as refusal:
        render_project(manifest("tutorial"), EMPTY, "")

    assert [(d.code, str(d.address)) for d in refusal.value.diagnostics] == [
        ("MLP6001", "run.train"),
        ("MLP6001", "inference.scorer"),
        ("MLP6001", "deployment.myservice"),
    ]


@pytest.mark.parametrize("case", NAMES)
def test_a_service_has_the_environment_that_it_is_deployed_with(case: str) -> None:
    resources = manifest(case).resources
    for address, resource in resources.items():
        if address.kind == "deployment":
            assert serving_environment(resource, resources) == environment_of(resource, resources)


def test_json_files_are_json() -> None:
    config = json.loads(rendered("tutorial")["inference/scorer/inference_config.json"])

    assert config["environment"]["environmentVariables"] == {"GREETING": "hello: you"}
    assert Address("inference", "scorer") in manifest("tutorial").resources
