"""Checks manifests against the published schema, and nothing beyond: no file that they name, no reference.

    python -I -m mlplan.ci.manifests FILE...

For the hook `mlplan-schema`, which looks at each manifest of a repository as it is committed. `mlplan validate` says
all that is wrong with one project.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlplan.diagnostics import has_errors, in_order
from mlplan.manifest.check import check
from mlplan.manifest.parse import parse
from mlplan.views.diagnostics import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Source


def problems_of(data: bytes, file: str) -> tuple[list[Diagnostic], Source]:
    """What parser and schema have to say about a manifest, in order."""
    parsed = parse(data, file)
    found = parsed.diagnostics + (check(parsed.document).diagnostics if parsed.document else [])
    return in_order(found), parsed.source


def main(files: Sequence[str]) -> int:
    """Tells what is wrong with these files. Returns 1 where one has an error."""
    failed = False
    for file in files:
        with open(file, "rb") as stream:
            problems, source = problems_of(stream.read(), file)
        print(render_text(problems, [source], width=100), end="", file=sys.stderr)
        failed = failed or has_errors(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
