"""`mlplan init`: writes a project that `mlplan apply` can run at once. Its templates are the examples."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.writing import writing
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.resources import folder, read

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_LINE = "# yaml-language-server: $schema={path}\n"
README = "README.md"
SCHEMA_FILE = ".mlplan-schema.json"
CI_FILES = {
    "github": {
        ".github/workflows/mlplan-check.yml": "github/mlplan-check.yml",
        ".github/workflows/mlplan-apply.yml": "github/mlplan-apply.yml",
    },
    "gitlab": {"mlplan.gitlab-ci.yml": "gitlab/mlplan.gitlab-ci.yml"},
}
"""What checks pull requests and applies what is merged, by forge: {path in the repository: path in templates/ci}."""


def run(options: Globals, directory: str, template: str, listed: bool, ci: str = "") -> ExitCode:
    """Writes the project, and the jobs of a forge where one is named; refuses to overwrite any file.

    Beside a manifest that is there already, the jobs alone are written.
    """
    directory = os.path.normpath(os.path.join(options.directory, directory))
    if ci and os.path.exists(os.path.join(directory, "mlplan.yaml")):
        with writing(directory):
            return write_ci(directory, ci)
    if listed:
        say(overview(templates()))
        return ExitCode.OK
    files = files_to_write(template_named(template), directory)
    with writing(directory):
        copy_files(files, directory)
        write_schema(directory)
        if ci:
            write_ci(directory, ci)
    if README not in files:
        tell(f"{README} was there, and stays.")
    tell("\n    ".join([f"Wrote a project after the template {template}. Now:", *next_steps(directory, ci)]))
    return ExitCode.OK


def templates() -> dict[str, str]:
    """The folder of each template by its name, in order."""
    source = folder("examples")
    names = sorted(name for name in os.listdir(source) if os.path.exists(os.path.join(source, name, "mlplan.yaml")))
    return {name: os.path.join(source, name) for name in names}


def template_named(name: str) -> str:
    """The folder of a template. Raises: Refusal where there is none of that name."""
    known = templates()
    if name not in known:
        near = nearest(name, known)
        hint = f'Did you mean "{near}"?' if near else f"There are: {', '.join(known)}."
        raise Refusal([codes.MLP5001.diagnostic(f"No template is called `{name}`.", hint=hint)])
    return known[name]


def overview(known: Mapping[str, str]) -> str:
    """The templates, a line each: name, and what it shows as the first line of its page says."""
    width = max(map(len, known))
    return "\n".join(f"{name:{width}}  {title(path)}" for name, path in known.items())


def title(template: str) -> str:
    """The first line of a template's page."""
    with open(os.path.join(template, README), encoding="utf-8") as stream:
        return stream.readline().lstrip("# ").rstrip()


def next_steps(directory: str, ci: str) -> list[str]:
    """What to type after the project is written."""
    steps = [] if directory == "." else [f"cd {shlex.quote(directory)}"]
    steps += ["mlplan plan", "mlplan apply"]
    if not ci:
        forge = forge_of(directory)
        either = "" if forge else " (or gitlab)"
        steps.append(f"mlplan init --ci {forge or 'github'}    # checks pull requests as well{either}")
    return steps


def write_ci(directory: str, ci: str) -> ExitCode:
    """Writes the jobs of a forge at the top of the repository, where the forge looks for them."""
    top = top_of(directory)
    taken = [path for path in CI_FILES[ci] if os.path.exists(os.path.join(top, path))]
    if taken:
        detail = f"{', '.join(taken)} is there already."
        raise Refusal([codes.MLP5006.diagnostic(detail, hint="Move it out of the way, or merge by hand.")])
    for path, source in CI_FILES[ci].items():
        os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
        with open(os.path.join(top, path), "w", encoding="utf-8") as stream:
            stream.write(read("templates", f"ci/{source}"))
    tell(f"Wrote {', '.join(CI_FILES[ci])}. How they work is said at the top of each.")
    inside = os.path.relpath(os.path.abspath(directory), top)
    if inside != ".":
        tell(f"The project isn't at the top of the repository: say in them where it is, `{inside}`.")
    return ExitCode.OK


def forge_of(directory: str) -> str:
    """The forge that a remote of the folder's repository is on, by its host's name; "" where none tells."""
    import subprocess

    asked = ["git", "-C", directory, "config", "--get-regexp", r"^remote\..*\.url$"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False).stdout
    except OSError:
        return ""
    hosts = [host_of(line.partition(" ")[2]) for line in said.splitlines()]
    return next((forge for host in hosts for forge in CI_FILES if forge in host), "")


def host_of(url: str) -> str:
    """The host of a git URL: `https://HOST/path`, `ssh://git@HOST/path` or `git@HOST:path`; "" of a folder."""
    _, scheme, rest = url.partition("://")
    place, separator, _ = (rest if scheme else url).partition("/" if scheme else ":")
    return place.rpartition("@")[2] if separator else ""


def top_of(directory: str) -> str:
    """The top of the git repository that a folder is in; the folder itself where it is in none."""
    here = os.path.abspath(directory)
    while not os.path.exists(os.path.join(here, ".git")):
        if os.path.dirname(here) == here:
            return os.path.abspath(directory)
        here = os.path.dirname(here)
    return here


def files_to_write(template: str, directory: str) -> dict[str, str]:
    """The absolute paths of a template's files by where they go in the project. A README that is there stays: a fresh
    repository has one. Raises: Refusal where another file of the template is there already."""
    files = {os.path.relpath(path, template): path for path in files_below(template)}
    taken = [path for path in files if os.path.exists(os.path.join(directory, path))]
    if taken not in ([], [README]):
        detail = f"{directory} holds {', '.join(sorted(taken)[:5])} already."
        raise Refusal([codes.MLP5006.diagnostic(detail, hint="Name a new folder:\n    mlplan init my-project")])
    return {path: source for path, source in files.items() if path not in taken}


def copy_files(files: Mapping[str, str], directory: str) -> None:
    """Copies a template's files, their content alone: who may read them, and what the folder is like, say others."""
    for path, source in files.items():
        target = os.path.join(directory, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)


def files_below(source: str) -> list[str]:
    """The absolute paths of a template's files."""
    return [
        os.path.join(here, name)
        for here, folders, names in os.walk(source)
        for name in names
        if ".mlplan" not in here.split(os.sep) and "__pycache__" not in here and not name.endswith(".pyc")
    ]


def write_schema(directory: str) -> None:
    """Puts the manifest's schema beside it, and its editor's line on top: completion and checks while typing."""
    with open(os.path.join(directory, SCHEMA_FILE), "w", encoding="utf-8") as stream:
        stream.write(read("schemas", "manifest.json"))
    path = os.path.join(directory, "mlplan.yaml")
    with open(path, encoding="utf-8") as stream:
        lines = stream.read().splitlines(keepends=True)
    if lines and lines[0].startswith("# yaml-language-server:"):
        lines = lines[1:]
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(SCHEMA_LINE.format(path=SCHEMA_FILE) + "".join(lines))
