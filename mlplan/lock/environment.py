"""From a spec's `environment` to what is asked of uv, the same whichever way it is written.

Order, spaces, case and comments don't count: the same meaning gives the same request, and so the same entry of the
lock file. Files are read through a function that is passed in. `resolve.py` resolves a request; `requirements.py` and
`conda.py` read the two larger kinds of file.
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import meaning
from mlplan.codes import read as codes
from mlplan.diagnostics import Label, has_errors
from mlplan.errors import Refusal
from mlplan.lock.requirements import (
    PIN_HINT,
    Unreadable,
    canonical_name,
    logical_lines,
    malformed_pin,
    name_of,
    normalised,
    read_requirements,
    reading_error,
)
from mlplan.lock.types import EnvironmentRequest
from mlplan.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlplan.diagnostics import Diagnostic
    from mlplan.lock.requirements import Read

PYTHONS = tuple(f"3.{minor}" for minor in range(14, 8, -1))
"""The versions of Python that an environment can have, newest first. The scoring runtime asks for 3.9 or newer."""

_PLUMBING = frozenset(
    f"azureml-{name}"
    for name in (
        "sdk", "core", "defaults", "telemetry", "dataprep", "dataset-runtime", "train", "pipeline", "widgets",
        "monitoring", "contrib-services", "model-management-sdk", "inference-server-http",
    )
) | {"azure-ml-api-sdk"}  # fmt: skip
_PLUMBING_BEGINS = ("azureml-dataprep-", "azureml-train-", "azureml-pipeline-")
"""Packages that tied a script to the retired service. mlplan answers what scripts used of them."""

_GONE = frozenset({"azureml-mlflow", "azureml-interpret", "azureml-explain-model"})
"""Packages of the retired service that did something of their own, which nothing here does."""


class EnvironmentRead(NamedTuple):
    """What an `environment` asks for, and what is to be said about it. No request where there are errors."""

    request: EnvironmentRequest | None
    problems: tuple[Diagnostic, ...]


class _Asked(NamedTuple):
    """What one way of writing an environment says, before it is brought into order."""

    python: str = ""  # a version specifier, or "" where it says nothing
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    problems: tuple[Diagnostic, ...] = ()


def environment_request(
    spec: Mapping[str, Any], *, root: str, extra: Iterable[str] = (), places: Mapping[str, Span] | None = None
) -> EnvironmentRequest:
    """What `environment` asks for; its file is read from `root`. Warnings are left to `read_environment`.

    Raises: Refusal with everything that is wrong with it.
    """

    def read(file: str) -> str:
        with open(os.path.join(root, file), encoding="utf-8") as stream:
            return stream.read()

    found = read_environment(spec, read, extra=extra, places=places)
    if found.request is None:
        raise Refusal(found.problems)
    return found.request


def read_environment(
    spec: Mapping[str, Any],
    read: Read,
    *,
    extra: Iterable[str] = (),
    places: Mapping[str, Span] | None = None,
    running: str = f"{sys.version_info.major}.{sys.version_info.minor}",
) -> EnvironmentRead:
    """What `environment` asks for, together with requirements of mlplan's own (`extra`).

    spec    `packages`, or `file` (requirements.txt, pyproject.toml, conda.yml), and `python`
    read    gives the text of a file, by its path from the project's folder
    places  where the manifest says it: `python`, `file`, `packages.0`
    running the Python version to take where nothing else says one, if the file allows it
    """
    places = places or {}
    file = spec.get("file")
    if file:
        try:
            text = read(file)
        except (OSError, UnicodeDecodeError) as error:
            detail = f"The environment's file {file} can't be read: {reading_error(error)}."
            labels = [Label(places["file"])] if "file" in places else []
            hint = "Mend the path, which is relative to the manifest, or write the file."
            return EnvironmentRead(None, (meaning.MLP3306.diagnostic(detail, hint=hint, labels=labels),))
        asked = _file(file, text, read)
    else:
        asked = _inline(tuple(spec.get("packages") or ()), places)
    requirements, warnings = _without_plumbing(asked.requirements, places.get("file"))
    problems = [*asked.problems, *warnings]
    python = spec.get("python") or _pick_python(asked.python, running, file, problems)
    if has_errors(problems) or python is None:
        return EnvironmentRead(None, tuple(problems))
    request = EnvironmentRequest(
        python,
        tuple(sorted({*requirements, *extra})),
        asked.indexes,
        tuple(sorted(set(asked.constraints))),
    )
    return EnvironmentRead(request, tuple(problems))


@lru_cache(maxsize=1)
def serving_requirements() -> tuple[str, ...]:
    """What the scoring runtime needs in an environment, normalised: `mlplan/serving/requirements.txt`."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(package, "serving", "requirements.txt"), encoding="utf-8") as stream:
        text = stream.read()
    return tuple(sorted(normalised(line) for _, line in logical_lines("requirements.txt", text)))


def _file(file: str, text: str, read: Read) -> _Asked:
    suffix = posixpath.splitext(file)[1]
    if suffix == ".toml":
        return _pyproject(file, text)
    if suffix in (".yml", ".yaml"):
        from mlplan.lock.conda import read_conda

        return _Asked(*read_conda(file, text, read))
    return _Asked("", *read_requirements(file, text, read))


def _inline(packages: tuple[str, ...], places: Mapping[str, Span]) -> _Asked:
    requirements, problems = [], []
    for position, package in enumerate(packages):
        problem = malformed_pin(package, places.get(f"packages.{position}"))
        if problem:
            problems.append(problem)
        else:
            requirements.append(normalised(package))
    return _Asked("", tuple(requirements), problems=tuple(problems))


def _pyproject(file: str, text: str) -> _Asked:
    """What `[project]` says. Where packages come from (`[tool.uv.sources]`) can't be taken over, so it is refused."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # where mypy runs on 3.11

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(at[1]), int(at[2])) if at else (1, 1)
        labels = [Label(Span(file, line, column, line, column + 1))]
        why = str(error).partition(" (at")[0]
        return _Asked(
            problems=(codes.MLP1308.diagnostic(f"{file} is no TOML: {why}.", labels=labels, hint="Mend it there."),)
        )
    project = content.get("project")
    if not isinstance(project, dict):
        detail = f"{file} has no table `[project]`, which says what a project depends on."
        hint = 'Add one, with `name`, `version` and `dependencies = ["scikit-learn==1.5.2"]`.'
        return _Asked(problems=(codes.MLP1308.diagnostic(detail, hint=hint, labels=[Label(Span(file, 1, 1, 1, 1))]),))
    requirements, problems = _project_dependencies(file, text, project)
    problems += _own_sources(file, text, content, {name_of(requirement) for requirement in requirements})
    return _Asked(str(project.get("requires-python") or ""), tuple(requirements), problems=tuple(problems))


def _project_dependencies(file: str, text: str, project: dict[str, Any]) -> tuple[list[str], list[Diagnostic]]:
    requirements: list[str] = []
    problems: list[Diagnostic] = []
    if "dependencies" in (project.get("dynamic") or ()):
        detail = f"The dependencies in {file} are dynamic: only its build tells them, and a plan runs nothing."
        hint = "Write them out as `dependencies = [...]`, or name a requirements.txt as the environment's file."
        problems.append(codes.MLP1308.diagnostic(detail, hint=hint, labels=[Label(_find(file, text, "dynamic"))]))
    for dependency in project.get("dependencies") or ():
        try:
            requirements.append(normalised(str(dependency)))
        except Unreadable as why:  # each line has its own message
            detail = f"`{dependency}` is no requirement: {why}."
            labels = [Label(_find(file, text, str(dependency)))]
            problems.append(codes.MLP1301.diagnostic(detail, hint=PIN_HINT, labels=labels))
    return requirements, problems


def _own_sources(file: str, text: str, content: dict[str, Any], names: set[str]) -> list[Diagnostic]:
    uv = content.get("tool", {}).get("uv", {})
    redirected = [name for name in uv.get("sources", {}) if canonical_name(name) in names]
    return [
        codes.MLP1302.diagnostic(
            f"`[tool.uv.sources]` takes {name} from a place of its own, which the lock file can't pin.",
            hint=f"Write the place into the requirement (`{name} @ URL`), or name a requirements.txt with its index.",
            labels=[Label(_find(file, text, name))],
        )
        for name in redirected
    ]


def _without_plumbing(requirements: tuple[str, ...], place: Span | None) -> tuple[list[str], list[Diagnostic]]:
    """The requirements without the retired service's own packages, and warnings that say so."""
    labels = [Label(place)] if place else []
    named = [(name_of(requirement), requirement) for requirement in requirements]
    gone = [requirement for name, requirement in named if name in _GONE]
    dropped = [r for name, r in named if name in _PLUMBING or name.startswith(_PLUMBING_BEGINS)]
    kept = [requirement for requirement in requirements if requirement not in gone and requirement not in dropped]
    warnings = []
    if dropped:
        detail = f"Left out, since mlplan itself answers what scripts use of them: {', '.join(dropped)}."
        warnings.append(codes.MLP1309.diagnostic(detail, hint="Remove them; scripts run unchanged.", labels=labels))
    if gone:
        detail = f"Left out, since they need the retired service: {', '.join(gone)}. Scripts that import them fail."
        warnings.append(
            codes.MLP1309.diagnostic(detail, hint="Remove them, and what the scripts do with them.", labels=labels)
        )
    return kept, warnings


def _pick_python(specifier: str, running: str, file: str | None, problems: list[Diagnostic]) -> str | None:
    """The Python version for a specifier such as `>=3.10` or `==3.11.*`: the running one where it fits, else the
    newest that does. None, with a problem told, where none does."""
    if not specifier:
        return running
    exact = re.fullmatch(r"==\s*(3\.[0-9]+(?:\.[0-9]+)?)(?:\.\*)?", specifier)
    if exact and ".".join(exact[1].split(".")[:2]) in PYTHONS:
        return exact[1]
    simple = re.fullmatch(r">=\s*3\.([0-9]+)(?:\.0)?(?:\s*,\s*<\s*4(?:\.0)?)?", specifier)
    for version in (running, *PYTHONS):
        minor = int(version.split(".")[1])
        if minor >= int(simple[1]) if simple else _allows(specifier, version):
            return version
    detail = f"{file} asks for Python {specifier}; environments have Python {PYTHONS[-1]} to {PYTHONS[0]}."
    hint = (
        f'Say in the manifest which one to take instead; it goes before what the file says:\n    python: "{running}"'
    )
    span = Span(file or "", 1, 1, 1, 1)
    problems.append(codes.MLP1310.diagnostic(detail, hint=hint, labels=[Label(span)]))
    return None


def _allows(specifier: str, version: str) -> bool:
    """Whether some release of a Python version fits a specifier."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(specifier)
    except InvalidSpecifier:
        return False
    return allowed.contains(f"{version}.0") or allowed.contains(f"{version}.30")


def _find(file: str, text: str, said: str) -> Span:
    """Where a file says this: the first place, or its beginning."""
    for number, line in enumerate(text.splitlines(), start=1):
        column = line.find(said)
        if column >= 0:
            return Span(file, number, column + 1, number, column + 1 + len(said))
    return Span(file, 1, 1, 1, 1)
