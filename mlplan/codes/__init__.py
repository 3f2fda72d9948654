"""The table of diagnostic codes: one module a phase, one entry a code, and its page as the entry's docstring.

To use one:

    from mlplan.codes import target as codes

    raise Refusal([codes.MLP8001.diagnostic("Port 6789 of 127.0.0.1 is taken by another program.", hint="...")])

To add one, write an entry in the module of its phase, in the order of the numbers:

    MLP8001 = Code("MLP8001", "Port is taken")
    \"""A service can't listen on its port, because another program does.

    Why: ... (what is wrong with that, and what mlplan did instead)

    What to do: ... (commands to copy stand alone on an indented line)
    \"""

The summary is short and fixed and never holds the user's data; `detail` does, in full sentences. A code is never
reused: one that is no longer given says since when in `deprecated`. The phase digit names the module, see `PHASES`.
Of phase 1, MLP10xx is the manifest, MLP11xx the lock file, MLP12xx a plan file, MLP13xx files that list packages; of
phase 8, MLP80xx is any target, MLP81xx local, MLP82xx docker.

The page of a code about the manifest (MLP10xx, MLP2xxx, MLP3xxx) ends in two fenced blocks of YAML, one after the
line `Broken:` and one after the line `Mended:`; a test runs both, and `tests/golden/broken/` holds a case for it.

Pages are comments to Python: importing a table costs next to nothing, and `page()` reads the source when asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlplan.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlplan.address import Address
    from mlplan.diagnostics import Label, Severity

PHASES = ("read", "schema", "meaning", "state", "plan", "render", "apply", "target", "bug")
"""The phases, in order: MLP1xxx is `read`, MLP9xxx is `bug`. Each is a module of this package."""


class Code(NamedTuple):
    """One kind of finding."""

    code: str
    summary: str  # short and fixed, no data of the user's
    severity: Severity = "error"
    since: str = "0.1"  # the version of mlplan that gave it first
    deprecated: str = ""  # the version since which it isn't given any more

    def diagnostic(
        self,
        detail: str,
        *,
        hint: str = "",
        labels: Iterable[Label] = (),
        address: Address | None = None,
        severity: Severity | None = None,
    ) -> Diagnostic:
        """A finding of this kind. The first label is the primary place; `severity` overrides the code's own."""
        return Diagnostic(self.code, severity or self.severity, self.summary, detail, hint, tuple(labels), address)


def lookup(code: str) -> Code | None:
    """The entry of a code such as "MLP3104", or None where there is none."""
    import importlib

    if not (
        len(code) == 7 and code.startswith("MLP") and code[3:].isascii() and code[3:].isdigit() and code[3] != "0"
    ):
        return None
    module = importlib.import_module(f"mlplan.codes.{PHASES[int(code[3]) - 1]}")
    entry = getattr(module, code, None)
    return entry if isinstance(entry, Code) else None


def every_code() -> Iterator[Code]:
    """All entries, in the order of their numbers."""
    import importlib

    for phase in PHASES:
        entries = vars(importlib.import_module(f"mlplan.codes.{phase}")).values()
        yield from sorted(entry for entry in entries if isinstance(entry, Code))


def page(code: str) -> str:
    """The page of a code, as Markdown: what, why, what to do. Raises KeyError for a code without an entry."""
    from mlplan.codes.pages import read_pages

    if lookup(code) is None:
        raise KeyError(code)
    return read_pages(PHASES[int(code[3]) - 1])[code]
