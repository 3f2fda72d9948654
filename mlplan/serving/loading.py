"""Makes a model ready to answer: its files checked, the paths as scripts expect them, its code imported."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any, Callable

from . import aliases, collect, model_files, raw_http
from .settings import Config

_SHIMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shims")
assert raw_http  # the shims reach it, and `collect`, through the package


def load(config: Config, dropped: Callable[[], None]) -> tuple[Any, collect.Collector | None]:
    """The model, ready to answer, and what collects its requests. `dropped` counts a record that was not kept.

    Raises: whatever is wrong with the model's files or its script.
    """
    os.chdir(config.app_root)
    sys.modules["_mlplan_runtime"] = sys.modules[__package__ or ""]
    sys.path.append(_SHIMS)
    aliases.install()
    collector = _collector(config, dropped)
    collect.install(collector)
    for described in config.models:
        model_files.check_digest(described)
    model = _estimator(config) if config.entry_script is None else _script(config, config.entry_script)
    if collector is not None:
        collector.columns = _columns(model, collector.plan.without)
    # What is loaded stays: the collector of garbage needn't look at it again and again.
    gc.collect()
    gc.freeze()
    return model, collector


def _columns(model: Any, without: Sequence[str]) -> Sequence[str] | None:
    """The names of the model's columns, or their numbers from 0; None for a script, whose input may be anything.

    Raises: ValueError for a name to be left out that is none of them: what is private would be kept all the same.
    """
    schema = getattr(model, "schema", None)
    if schema is None:
        return None
    columns = schema.names or [str(place) for place in range(schema.width or 0)]
    unknown = [name for name in without if name not in columns and name not in model.methods]
    if unknown and columns:
        listed = ", ".join(columns)
        raise ValueError(f"collect.without names {', '.join(unknown)}, and the model's columns are: {listed}")
    return columns or None


def _estimator(config: Config) -> Any:
    from . import estimator

    return estimator.load(config.models[0].path, config.settings)


def _script(config: Config, path: str) -> Any:
    from . import entry

    model_files.check_pickles(config.models, config.settings.pickle_allow)
    sys.path.insert(0, config.app_root)
    if config.source_directory:
        sys.path.insert(0, os.path.join(config.app_root, config.source_directory))
    script = entry.EntryScript(os.path.join(config.app_root, path), config.settings)
    script.init()
    return script


def _collector(config: Config, dropped: Callable[[], None]) -> collect.Collector | None:
    """What collects, where the deployment or the retired system's variable asks for it."""
    wanted = config.settings.collect
    if wanted is None:
        if os.environ.get("AML_MODEL_DC_STORAGE_ENABLED", "").lower() != "true":
            return None
        wanted = {"inputs": False, "outputs": False}  # what the script itself collects
    default = os.path.join(os.path.dirname(config.app_root.rstrip("/")), "collected")
    collector = collect.Collector(collect.read_plan(wanted, default), dropped)
    only = config.models[0] if len(config.models) == 1 else None
    collector.place = collect.Place(*((only.name, only.version) if only else (config.name, "1")), collect.REQUESTS)
    return collector
