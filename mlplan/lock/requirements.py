"""Requirements as pip writes them, brought to one spelling: single ones, and whole requirements.txt files. Pure.

`plan` comes through here each time, so the usual spellings (`scikit-learn==1.5.2`) are read by two regular
expressions; whatever they don't know goes to `packaging`, whose import alone would cost half of a plan's time.
A test holds that both say the same.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import meaning
from mlplan.codes import read as codes
from mlplan.diagnostics import Label
from mlplan.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplan.codes import Code
    from mlplan.diagnostics import Diagnostic

Read = Callable[[str], str]
"""Gives the text of a file, by its path from the project's folder. Raises OSError or UnicodeDecodeError."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_RELEASE = r"[0-9]+(?:\.[0-9]+)*"
_CLAUSE = (
    rf"(?:(?:==|!=)\s*{_RELEASE}\.\*|~=\s*[0-9]+\.{_RELEASE}|(?:==|!=|<=|>=|<|>)\s*{_RELEASE}(?:(?:a|b|rc)[0-9]+)?)"
)
_USUAL = re.compile(
    rf"(?P<name>{_NAME})\s*"
    rf"(?:\[\s*(?P<extras>{_NAME}(?:\s*,\s*{_NAME})*)\s*\]\s*)?"
    rf"(?P<clauses>{_CLAUSE}(?:\s*,\s*{_CLAUSE})*)?\s*"
    r"(?:;(?P<marker>.*))?"
)
_TERM = (
    r"(?:python_version|python_full_version|sys_platform|platform_system|platform_machine|os_name"
    r"|platform_python_implementation|implementation_name)\s*(?:==|!=|<=|>=|<|>)\s*(?:'[^'\"]*'|\"[^'\"]*\")"
)
# Compiled when first met, which in most projects is never.
_USUAL_MARKER = rf"\s*{_TERM}(?:\s+(?:and|or)\s+{_TERM})*\s*"
_MARKER_WORD = r"(?P<text>'[^']*'|\"[^\"]*\")|(?P<operator>[=!<>]+)|(?P<word>\w+)"


class Unreadable(Exception):
    """A requirement that can't be read. Its text says why."""


def normalised(requirement: str) -> str:
    """A requirement in its one spelling: `Scikit_Learn[b,a] >=1, ==1.5` -> `scikit-learn[a,b]==1.5,>=1`.

    Raises: Unreadable, saying what is wrong with it, for text that is no requirement by name (PEP 508).
    """
    requirement = requirement.strip()
    if requirement.endswith((".whl", ".tar.gz", ".zip")) and " @ " not in requirement:
        raise Unreadable(_why(requirement, ""))  # a name by its letters, but always meant as a file
    usual = _USUAL.fullmatch(requirement)
    if usual and (usual["marker"] is None or re.fullmatch(_USUAL_MARKER, usual["marker"])):
        clauses = (usual["clauses"] or "").split(",")
        extras = usual["extras"]
        return _spelt(
            usual["name"],
            extras.split(",") if extras else (),
            ["".join(clause.split()) for clause in clauses if clause],
            "",
            _spelt_marker(usual["marker"]) if usual["marker"] else "",
        )
    return _by_packaging(requirement)


def canonical_name(name: str) -> str:
    """A package's name as indexes compare it: `Scikit_Learn` -> `scikit-learn`."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def name_of(requirement: str) -> str:
    """The canonical name of the package that a normalised requirement or a locked package is about."""
    found = re.match(_NAME, requirement)
    return canonical_name(found[0]) if found else ""


def _by_packaging(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        read = Requirement(requirement)
    except InvalidRequirement as error:
        raise Unreadable(_why(requirement, str(error))) from error
    if not all(re.fullmatch(_NAME, name) for name in (read.name, *read.extras)):  # packaging lets `name_` pass
        raise Unreadable("a name ends in a letter or a digit")
    if read.url and re.search(r"://[^/@$]*:[^/@$]+@", read.url):
        raise Unreadable("it holds a password, which would be committed with the lock file")
    clauses = [str(clause) for clause in read.specifier]
    return _spelt(read.name, list(read.extras), clauses, read.url or "", str(read.marker) if read.marker else "")


def _spelt(name: str, extras: list[str] | tuple[str, ...], clauses: list[str], url: str, marker: str) -> str:
    text = canonical_name(name)
    if extras:
        text += "[" + ",".join(sorted({canonical_name(extra) for extra in extras})) + "]"
    text += ",".join(sorted(clauses))
    if url:
        text += f" @ {url}"
    return f"{text} ; {marker}" if marker else text


def _spelt_marker(marker: str) -> str:
    words = re.finditer(_MARKER_WORD, marker)
    return " ".join(f'"{word["text"][1:-1]}"' if word["text"] is not None else word[0] for word in words)


def _why(requirement: str, message: str) -> str:
    """What is wrong with a requirement, with the commonest slips named as such."""
    if re.fullmatch(rf"{_NAME}(\[.*\])?\s*=\s*[^=].*", requirement):
        return "a version is pinned with two equals signs, `==`; a single one is conda's way"
    if re.fullmatch(rf"{_NAME}\s+v?[0-9][^\s]*", requirement):
        return "`==` is missing between the name and the version"
    if "://" in requirement and not requirement.startswith("file:"):
        return "a URL needs the package's name before it: `NAME @ URL`"
    if re.match(r"(\.{0,2}/|[A-Za-z]:[\\/]|file:)|.*\.(whl|tar\.gz|zip)$|\.$", requirement):
        return "it is a path, and what stands there can't be pinned"
    return message.partition("\n")[0].rstrip(".")


class Listed(NamedTuple):
    """What one or several requirements files ask for."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    indexes: tuple[str, ...]  # options in the order in which they count, in their long form
    problems: tuple[Diagnostic, ...]


_LONG = {
    "-r": "--requirement", "-c": "--constraint", "-i": "--index-url", "-f": "--find-links", "-e": "--editable",
    "--pypi-url": "--index-url",
}  # fmt: skip
_PASSED_ON = frozenset({"--index-url", "--extra-index-url", "--find-links", "--no-binary", "--only-binary"})
_FLAGS = frozenset({"--no-index", "--pre"})
_FULFILLED = frozenset({"--require-hashes", "--prefer-binary"})
_REFUSED = {
    "--editable": (
        "an editable package is a folder whose content can't be pinned",
        "Put its code below the run's `source`, or publish it as a package and pin that.",
    ),
    "--trusted-host": (
        "it would switch off the check of who the index is",
        "Leave it out. For a certificate authority of your own, set SSL_CERT_FILE to its file.",
    ),
}


class _Reader:
    """Walks a requirements file and those that it includes."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.requirements: list[str] = []
        self.constraints: list[str] = []
        self.indexes: list[str] = []
        self.problems: list[Diagnostic] = []
        self.hashes_at: Span | None = None

    def file(self, file: str, text: str, within: tuple[str, ...], into: list[str]) -> None:
        for span, line in logical_lines(file, text):
            if line.startswith("-"):
                self.option(file, line, span, within, into)
                continue
            requirement, *options = re.split(r"\s+(?=--)", line)
            if any(option.startswith("--hash") for option in options):
                self.hashes_at = self.hashes_at or span
            others = [option for option in options if not option.startswith("--hash")]
            if others:
                self.refuse(
                    codes.MLP1302, span, f"`{others[0]}` after a package has no meaning here.", "Leave it out."
                )
            try:
                into.append(normalised(requirement))
            except Unreadable as why:
                self.refuse(codes.MLP1301, span, f"`{requirement}` is no requirement: {why}.", PIN_HINT)

    def option(self, file: str, line: str, span: Span, within: tuple[str, ...], into: list[str]) -> None:
        name, value = split_option(line)
        if name in ("--requirement", "--constraint"):
            below = self.constraints if name == "--constraint" else into
            self.include(posixpath.join(posixpath.dirname(file), value), span, within, below)
        elif name in _PASSED_ON and value:
            self.indexes.append(f"{name} {self.place(name, value, file, span)}")
        elif name in _FLAGS and not value:
            self.indexes.append(name)
        elif name in _REFUSED:
            why, hint = _REFUSED[name]
            self.refuse(codes.MLP1302, span, f"`{name}` can't be taken over: {why}.", hint)
        elif name not in _FULFILLED:
            self.refuse(
                codes.MLP1302, span, f"mlplan doesn't know what `{line}` means for a lock file.", "Leave it out."
            )

    def place(self, option: str, value: str, file: str, span: Span) -> str:
        """The value of an index option: without credentials; a folder as a path from the project's folder."""
        if re.search(r"://[^/@]*@", value) and not re.search(r"://[^/@]*\$\{\w+\}[^/@]*@", value):
            self.refuse(
                codes.MLP1303,
                span,
                "The URL of an index holds credentials, and this file is committed.",
                "Take them from environment variables, which uv and pip fill in:\n"
                f"    {option} https://${{INDEX_USER}}:${{INDEX_PASSWORD}}@HOST/simple",
            )
        if option == "--find-links" and "://" not in value and not posixpath.isabs(value):
            return posixpath.normpath(posixpath.join(posixpath.dirname(file), value))
        return value

    def include(self, file: str, span: Span, within: tuple[str, ...], into: list[str]) -> None:
        file = posixpath.normpath(file)
        if file in within:
            chain = " -> ".join([*within[within.index(file) :], file])
            self.refuse(codes.MLP1304, span, f"The file includes itself: {chain}.", "Remove one of these lines.")
            return
        try:
            text = self.read(file)
        except (OSError, UnicodeDecodeError) as error:
            self.refuse(codes.MLP1304, span, f"{file} can't be read: {reading_error(error)}.", "Mend the path.")
            return
        self.file(file, text, (*within, file), into)

    def refuse(self, code: Code, span: Span, detail: str, hint: str) -> None:
        self.problems.append(code.diagnostic(detail, hint=hint, labels=[Label(span)]))


PIN_HINT = "Write it as pip takes it, for example `scikit-learn==1.5.2`."


def read_requirements(file: str, text: str, read: Read) -> Listed:
    """What a requirements.txt asks for, with the files that it includes. `file` is its path from the project."""
    reader = _Reader(read)
    reader.file(file, text, (posixpath.normpath(file),), reader.requirements)
    if reader.hashes_at:
        detail = "The hashes in this file are not used: mlplan.lock keeps those of the index, for every platform."
        reader.problems.append(codes.MLP1305.diagnostic(detail, labels=[Label(reader.hashes_at)]))
    return Listed(
        tuple(reader.requirements), tuple(reader.constraints), in_effect(reader.indexes), tuple(reader.problems)
    )


def in_effect(options: list[str]) -> tuple[str, ...]:
    """Index options as they count: of several `--index-url` the last, others once each."""
    last = next((option for option in reversed(options) if option.startswith("--index-url ")), None)
    others = [option for option in options if not option.startswith("--index-url ")]
    return tuple(dict.fromkeys(([last] if last else []) + others))


def logical_lines(file: str, text: str) -> Iterator[tuple[Span, str]]:
    """The lines of a requirements file that say something, continued ones joined, comments left out."""
    lines = text.removeprefix("\ufeff").splitlines()
    at = 0
    while at < len(lines):
        first = at
        joined = lines[at]
        while joined.endswith("\\") and at + 1 < len(lines):
            at += 1
            joined = joined[:-1] + lines[at]
        at += 1
        said = re.sub(r"(^|\s+)#.*$", "", joined.rstrip("\\")).strip()
        if said:
            column = len(lines[first]) - len(lines[first].lstrip()) + 1
            end = max(column + 1, len(lines[first].rstrip()) + 1)
            yield Span(file, first + 1, column, first + 1, end), said


def split_option(line: str) -> tuple[str, str]:
    """An option line as its long name and its value: `-i URL`, `-iURL`, `--index-url=URL` -> (`--index-url`, URL)."""
    if not line.startswith("--"):
        return _LONG.get(line[:2], line[:2]), line[2:].strip().strip("'\"")
    name, _, value = line.replace("=", " ", 1).partition(" ") if "=" in line.split()[0] else line.partition(" ")
    return _LONG.get(name, name), value.strip().strip("'\"")


def reading_error(error: OSError | UnicodeDecodeError) -> str:
    """Why a file can't be read, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "there is no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error))


def malformed_pin(requirement: str, span: Span | None) -> Diagnostic | None:
    """What is wrong with a package that stands in the manifest, or None where nothing is."""
    try:
        normalised(requirement)
    except Unreadable as why:
        labels = [Label(span)] if span else []
        return meaning.MLP3401.diagnostic(f"`{requirement}` is no requirement: {why}.", hint=PIN_HINT, labels=labels)
    return None
