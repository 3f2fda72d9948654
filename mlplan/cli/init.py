"""`mlplan init`: writes a project that `mlplan apply` can run at once. Its templates are the examples."""

from __future__ import annotations

import os
import shlex
import shutil

from mlplan.cli.globals import Globals, say, tell
from mlplan.cli.writing import writing
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.resources import folder, read

SCHEMA_LINE = "# yaml-language-server: $schema={path}\n"
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
    """Writes the project, and the jobs of a forge where one is named; refuses to overwrite a single file.

    Beside a manifest that is there already, the jobs alone are written.
    """
    directory = os.path.normpath(os.path.join(options.directory, directory))
    if ci and os.path.exists(os.path.join(directory, "mlplan.yaml")):
        with writing(directory):
            return write_ci(directory, ci)
    source = folder("examples")
    templates = sorted(
        name for name in os.listdir(source) if os.path.exists(os.path.join(source, name, "mlplan.yaml"))
    )
    if listed:
        for name in templates:
            say(name)
        return ExitCode.OK
    if template not in templates:
        near = nearest(template, templates)
        hint = f'Did you mean "{near}"?' if near else f"There are: {', '.join(templates)}."
        raise Refusal([codes.MLP5001.diagnostic(f"No template is called `{template}`.", hint=hint)])
    refuse_to_overwrite(os.path.join(source, template), directory)
    with writing(directory):
        copy_files(os.path.join(source, template), directory)
        write_schema(directory)
        if ci:
            write_ci(directory, ci)
    steps = [] if directory == "." else [f"cd {shlex.quote(directory)}"]
    steps += ["mlplan plan", "mlplan apply"]
    if not ci:
        forge = forge_of(directory)
        either = "" if forge else " (or gitlab)"
        steps.append(f"mlplan init --ci {forge or 'github'}    # checks pull requests as well{either}")
    tell("\n    ".join([f"Wrote a project after the template {template}. Now:", *steps]))
    return ExitCode.OK


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


def refuse_to_overwrite(source: str, directory: str) -> None:
    """Raises: Refusal where a file of the template is there already."""
    taken = [
        os.path.relpath(path, source)
        for path in files_below(source)
        if os.path.exists(os.path.join(directory, os.path.relpath(path, source)))
    ]
    if taken:
        detail = f"{directory} holds {', '.join(sorted(taken)[:5])} already."
        raise Refusal([codes.MLP5006.diagnostic(detail, hint="Name a new folder:\n    mlplan init my-project")])


def copy_files(source: str, directory: str) -> None:
    """Copies a template's files, their content alone: who may read them, and what the folder is like, say others."""
    for path in files_below(source):
        target = os.path.join(directory, os.path.relpath(path, source))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)


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
