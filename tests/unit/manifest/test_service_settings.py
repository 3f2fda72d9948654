"""What a deployment's fields become in the runtime's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from mlplan.manifest.service_settings import collect_settings, runtime_settings
from mlplan.serving.collect import read_plan
from mlplan.serving.settings import parse_config

SPEC: dict[str, Any] = {"timeout": "1m30s", "max_body": "2Mi", "batch": None, "pickle_allow": [], "replicas": 1}
COLLECT = {"inputs": True, "outputs": False, "sample": 0.5, "without": ["age"], "keep": "256Mi"}


def test_what_is_not_written_is_left_to_the_runtime() -> None:
    assert runtime_settings(SPEC) == {"timeout_s": 90.0, "max_body_bytes": 2097152}


def test_what_is_written_reaches_it() -> None:
    settings = runtime_settings({**SPEC, "batch": False, "pickle_allow": ["mine.*"]})
    assert settings == {"timeout_s": 90.0, "max_body_bytes": 2097152, "batch": False, "pickle_allow": ["mine.*"]}


@pytest.mark.parametrize(
    ("keep", "replicas", "all_files", "one_file"),
    [
        ("256Mi", 1, 268435456, 16777216),
        ("256Mi", 4, 243269632, 8388608),  # each of the other three may have a whole file open
        ("8Ki", 1, 8192, 1024),
    ],
)
def test_what_is_kept_stays_within_its_bound(keep: str, replicas: int, all_files: int, one_file: int) -> None:
    settings = collect_settings({"collect": {**COLLECT, "keep": keep}, "replicas": replicas}, "/kept")
    assert settings == {
        "folder": "/kept",
        "inputs": True,
        "outputs": False,
        "sample": 0.5,
        "without": ["age"],
        "max_bytes": all_files,
        "max_file_bytes": one_file,
    }


def test_nothing_is_kept_unless_asked_for() -> None:
    assert collect_settings({"collect": None, "replicas": 1}, "/kept") is None


def test_the_retired_systems_variable_keeps_what_the_script_collects() -> None:
    kept = collect_settings({"collect": None, "replicas": 1}, "/kept", {"AML_MODEL_DC_STORAGE_ENABLED": "True"})
    assert kept is not None
    assert (kept["folder"], kept["inputs"], kept["outputs"], kept["max_bytes"]) == ("/kept", False, False, 256 << 20)


def test_the_runtime_takes_all_of_it() -> None:
    collected = collect_settings({**SPEC, "collect": COLLECT}, "/kept")
    assert collected is not None
    settings = {**runtime_settings({**SPEC, "batch": True, "pickle_allow": ["mine.*"]}), "collect": collected}
    model = {"name": "a", "version": 1, "path": "/m"}
    config = parse_config(
        {"format": 1, "name": "a", "host": "::1", "port": 1, "app_root": "/", "models": [model], "auth": "none",
         "settings": settings}
    )  # fmt: skip
    assert config.settings.collect is not None
    assert read_plan(config.settings.collect, "/other").folder == "/kept"
    assert (config.settings.batch, config.settings.pickle_allow) == (True, ("mine.*",))
