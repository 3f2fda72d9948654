"""`mlplan validate`: everything that is wrong with the manifest and what it refers to, in one pass."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mlplan.cli.globals import Globals, colour_wanted, say, tell, width
from mlplan.cli.problems import spelled
from mlplan.cli.project import committed_workspace, load_manifest
from mlplan.diagnostics import has_errors, in_order
from mlplan.errors import ExitCode

if TYPE_CHECKING:
    from mlplan.diagnostics import Diagnostic
    from mlplan.manifest.resolved import Manifest


def run(options: Globals, form: str) -> ExitCode:
    """0 where there is no error; warnings alone don't fail."""
    from mlplan.kinds.data_in_code import data_in_code
    from mlplan.kinds.pinned import exposed_credentials
    from mlplan.views.findings import render
    from mlplan.views.values import counted

    loaded = load_manifest(options)
    found = list(loaded.diagnostics)
    if loaded.manifest is not None:
        found += environment_problems(loaded.manifest)
        found += exposed_credentials(loaded.manifest)
        found += data_in_code(loaded.manifest)
        found += committed_workspace(loaded.manifest.root, loaded.manifest.workspace)
    found = spelled(in_order(found))
    text = render(
        found,
        loaded.sources,
        form=form,
        color=colour_wanted(sys.stdout.isatty()),
        width=min(width(), 110),
        prefix=prefix_of(options.directory),
        manifest=options.file,
    )
    if text:
        say(text)
    if form == "text" and loaded.manifest is not None and not has_errors(found):
        tell(f"{loaded.manifest.file} is valid: {counted(len(loaded.manifest.resources), 'resource')}.")
    return ExitCode.FAILED if has_errors(found) else ExitCode.OK


def environment_problems(manifest: Manifest) -> list[Diagnostic]:
    """What is wrong with the files that list packages. (Packages in the manifest itself are checked with it.)"""
    from mlplan.lock.environment import read_environment

    def read(file: str) -> str:
        with open(os.path.join(manifest.root, file), encoding="utf-8") as stream:
            return stream.read()

    environments = [resource.spec.get("environment") for resource in manifest.resources.values()]
    files = {environment["file"]: environment for environment in environments if environment and environment["file"]}
    return [problem for environment in files.values() for problem in read_environment(environment, read).problems]


def prefix_of(directory: str) -> str:
    """The way from the repository's root to the project's folder, "" at the root or without git."""
    folder = os.path.abspath(directory)
    root = folder
    while not os.path.exists(os.path.join(root, ".git")):
        if os.path.dirname(root) == root:
            return ""
        root = os.path.dirname(root)
    prefix = os.path.relpath(folder, root)
    return "" if prefix == "." else prefix.replace(os.sep, "/")
