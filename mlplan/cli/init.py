"""`mlplan init`: writes a project that `mlplan apply` can run at once. Its templates are the examples."""

from __future__ import annotations

import os
import shutil

from mlplan.cli.globals import say, tell
from mlplan.codes import plan as codes
from mlplan.diagnostics import nearest
from mlplan.errors import ExitCode, Refusal
from mlplan.resources import folder, read

SCHEMA_LINE = "# yaml-language-server: $schema={path}\n"
SCHEMA_FILE = ".mlplan-schema.json"
LEFT_OUT = shutil.ignore_patterns(".mlplan", "__pycache__", "*.pyc")


def run(directory: str, template: str, listed: bool) -> ExitCode:
    """Writes the project; refuses to overwrite a single file."""
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
    shutil.copytree(os.path.join(source, template), directory, dirs_exist_ok=True, ignore=LEFT_OUT)
    write_schema(directory)
    where = "" if directory == "." else f"cd {directory}\n    "
    tell(f"Wrote a project after the template {template}. Now:\n    {where}mlplan plan\n    mlplan apply")
    return ExitCode.OK


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
