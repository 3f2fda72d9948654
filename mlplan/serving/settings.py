"""Reads `service.json`: what to serve, where, and within which limits.

The file is written by a target, or by hand for an image. Unknown keys are refused, so that nothing is accepted
that has no effect.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

FORMAT = 1


class ConfigError(ValueError):
    """The configuration can't be used; the text says which field and why."""


class Model(NamedTuple):
    """One model of the service."""

    name: str
    version: str
    digest: str
    path: str  # of the folder that holds the version's one file or folder
    framework: str


class Settings(NamedTuple):
    """How the service behaves, with what holds where nothing is said. Sizes in bytes, times in seconds."""

    timeout_s: float = 60.0  # of one request, its time in the queue included
    max_body_bytes: int = 16 * 2**20
    max_header_bytes: int = 32 * 2**10
    max_queue: int = 128  # requests that may wait in a worker; beyond it they get a 429
    max_connections: int = 4096  # per worker
    header_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    idle_timeout_s: float = 75.0  # of a kept connection; longer than the 60 s of common balancers
    drain_s: float = 10.0  # how long an idle connection may ask once more after a hand-over
    dispatch: str = "adaptive"  # where `run` executes: "inline" in the event loop, "thread" beside it, or by its pace
    concurrency: int = 1  # calls of `run` at a time in one worker
    batch: bool | None = None  # stack waiting requests; None: where that is known to give the same answers
    max_batch_rows: int = 64
    collect: dict[str, Any] | None = None  # `collect.py`
    cors_origins: tuple[str, ...] = ()  # of pages that may ask; "*" is any
    pickle_allow: tuple[str, ...] = ()  # modules and names beyond those of `pickles.py`
    sample: Any = None  # a recorded request body: an example for the OpenAPI document, asked once before ready
    code_digest: str = ""
    manifest_digest: str = ""
    log_requests: bool = False  # also those that went well


class Config(NamedTuple):
    """One generation of one service."""

    name: str
    project: str
    key: str
    digest: str
    host: str
    port: int
    workers: int
    threads: int | None
    memory_bytes: int | None
    app_root: str
    entry_script: str | None
    source_directory: str | None
    models: tuple[Model, ...]
    keys_file: str | None
    env: dict[str, str]
    settings: Settings
    control: str | None


_REQUIRED: dict[str, Any] = {"name": str, "host": str, "port": int, "app_root": str, "models": list, "auth": str}
_OPTIONAL: dict[str, tuple[Any, Any]] = {
    "project": (str, ""),
    "key": (str, ""),
    "digest": (str, ""),
    "workers": (int, 1),
    "threads": (int, None),
    "memory_bytes": (int, None),
    "entry_script": (str, None),
    "source_directory": (str, None),
    "keys_file": (str, None),
    "env": (dict, {}),
    "settings": (dict, {}),
    "control": (str, None),
}
_SETTING_TYPES: dict[str, Any] = {
    "timeout_s": (int, float),
    "max_body_bytes": int,
    "max_header_bytes": int,
    "max_queue": int,
    "max_connections": int,
    "header_timeout_s": (int, float),
    "body_timeout_s": (int, float),
    "idle_timeout_s": (int, float),
    "drain_s": (int, float),
    "dispatch": str,
    "concurrency": int,
    "batch": bool,
    "max_batch_rows": int,
    "collect": dict,
    "cors_origins": list,
    "pickle_allow": list,
    "sample": object,
    "code_digest": str,
    "manifest_digest": str,
    "log_requests": bool,
}
_DISPATCHES = ("adaptive", "inline", "thread")


def read_config(path: str) -> Config:
    """The configuration in the file. Raises: ConfigError; OSError where it can't be read."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    try:
        return parse_config(json.loads(text))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse_config(value: Any) -> Config:
    """The configuration in a decoded `service.json`. Raises: ConfigError."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ConfigError(f"format must be {FORMAT}")
    fields = {name: _typed(value, name, kind) for name, kind in _REQUIRED.items()}
    for name, (kind, default) in _OPTIONAL.items():
        fields[name] = default if value.get(name) is None else _typed(value, name, kind)
    _refuse_unknown(value, {"format", *_REQUIRED, *_OPTIONAL}, "")
    if fields["auth"] not in ("key", "none"):
        raise ConfigError('auth must be "key" or "none"')
    if (fields.pop("auth") == "key") != (fields["keys_file"] is not None):
        raise ConfigError("auth: key needs a keys_file, auth: none has none")
    if fields["workers"] < 1:
        raise ConfigError("workers must be at least 1")
    models = tuple(_model(item, f"models[{place}]") for place, item in enumerate(fields.pop("models")))
    if fields["entry_script"] is None and len(models) != 1:
        raise ConfigError("a service without an entry script has exactly one model")
    return Config(models=models, settings=_settings(fields.pop("settings"), fields["env"]), **fields)


def _model(value: Any, where: str) -> Model:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be an object")
    _refuse_unknown(value, set(Model._fields), where + ".")
    version: str | int = _typed(value, "version", (str, int), where + ".")
    return Model(
        name=_typed(value, "name", str, where + "."),
        version=str(version),
        digest=_typed(value, "digest", str, where + ".") if value.get("digest") else "",
        path=_typed(value, "path", str, where + "."),
        framework=_typed(value, "framework", str, where + ".") if value.get("framework") else "",
    )


def _settings(value: dict[str, Any], env: dict[str, Any]) -> Settings:
    _refuse_unknown(value, set(Settings._fields), "settings.")
    given = {
        name: _typed(value, name, _SETTING_TYPES[name], "settings.") for name in value if value[name] is not None
    }
    for name in ("cors_origins", "pickle_allow"):
        if name in given:
            given[name] = tuple(given[name])
    # The retired system's variable, which a script's environment may have.
    given.setdefault("cors_origins", tuple(str(env.get("AML_CORS_ORIGINS", "")).replace(",", " ").split()))
    settings = Settings(**given)
    if settings.dispatch not in _DISPATCHES:
        raise ConfigError(f"settings.dispatch must be one of {', '.join(_DISPATCHES)}")
    for name in ("timeout_s", "max_body_bytes", "max_queue", "concurrency", "max_batch_rows"):
        if getattr(settings, name) <= 0:
            raise ConfigError(f"settings.{name} must be more than 0")
    return settings


def _typed(value: dict[str, Any], name: str, kind: Any, where: str = "") -> Any:
    if name not in value:
        raise ConfigError(f"{where}{name} is missing")
    wrong_bool = isinstance(value[name], bool) and kind not in (bool, object)
    if wrong_bool or not isinstance(value[name], kind):
        raise ConfigError(f"{where}{name} has the wrong type")
    return value[name]


def _refuse_unknown(value: dict[str, Any], known: Any, where: str) -> None:
    unknown: list[str] = sorted(set(value) - set(known))
    if unknown:
        raise ConfigError(f"unknown: {', '.join(where + name for name in unknown)}")
