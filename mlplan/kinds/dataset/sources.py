"""A dataset's `source`, spelt out: which files and URLs it names, and the path that each has in the dataset.

    https://host/a/train.gz   train.gz         a URL or a single file by its last name
    data/train.csv            train.csv
    data                      2024/x.csv       a folder keeps its layout below it
    data/**/*.csv             2024/x.csv       a glob keeps the layout below its fixed beginning, here `data`

Data is taken as it is: hidden files count, and ignore files mean nothing here, also to globs (`*` fits `.hidden`).
Symlinks are followed. Pure but for looking at folders: no file is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlplan.codes import meaning
from mlplan.codes import plan as codes
from mlplan.diagnostics import Label
from mlplan.lock.urls import public_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlplan.codes import Code
    from mlplan.diagnostics import Diagnostic
    from mlplan.source import Span


class Expanded(NamedTuple):
    """What a `source` names. The three don't share a path of the dataset."""

    files: Mapping[str, str]  # {path in the dataset: absolute path here}
    urls: Mapping[str, str]  # {path in the dataset: URL}
    problems: tuple[Diagnostic, ...]


def is_url(source: str) -> bool:
    """Whether an item of `source` is to be downloaded."""
    return source[:8].lower().startswith(("http://", "https://"))


def expand(sources: Sequence[str], root: str, places: Sequence[Span] = ()) -> Expanded:
    """All files and URLs that `sources` name, relative paths from `root`; every problem at once.

    `places` are where the manifest says each of them. Problems: a source that names nothing, two that want the same
    path, a name that can't be kept, a folder that can't be read. The order of the sources doesn't count.
    """
    expansion = _Expansion(root)
    for position, source in enumerate(sources):
        expansion.place = places[position] if position < len(places) else None
        expansion.source = source
        if is_url(source):
            expansion.url(source)
        else:
            expansion.path(source)
    if len(sources) > 1:
        expansion.files_in_place_of_folders()
    return Expanded(expansion.files, expansion.urls, tuple(expansion.problems))


def named_by(sources: Sequence[str]) -> Callable[[str], bool]:
    """Says of a file's path, from the manifest's folder, whether the sources name it. Looks at the words alone."""
    tests = [_names(source) for source in sources if not is_url(source)]
    return lambda path: any(test(path) for test in tests)


def _names(source: str) -> Callable[[str], bool]:
    plain, below = os.path.normpath(source), _below(source)
    if not has_wildcard(source):
        return lambda path: path == plain or path.startswith(below)
    fixed, pattern = split_glob(source)
    start, fits = _below(fixed), _Glob(pattern)
    return lambda path: path == plain or (path.startswith(start) and fits(path[len(start) :])[0])


def may_be_below(sources: Sequence[str], folder: str) -> bool:
    """Whether the sources may name a file in the folder, or below it. Looks at the words alone."""
    here = _below(folder)
    starts = [_below(split_glob(s)[0] if has_wildcard(s) else s) for s in sources if not is_url(s)]
    return any(start.startswith(here) or here.startswith(start) for start in starts)


def _below(folder: str) -> str:
    """How the paths below a folder begin, from the manifest's folder."""
    plain = os.path.normpath(folder)
    return "" if plain == "." else f"{plain}/"


class _Expansion:
    """Collects what the sources name."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.source = ""
        self.place: Span | None = None
        self.files: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        self.problems: list[Diagnostic] = []

    def url(self, url: str) -> None:
        from urllib.parse import unquote

        shown = public_url(url)
        name = unquote(re.sub(r"[?#].*", "", url.partition("://")[2].partition("/")[2]).rpartition("/")[2])
        if name in ("", ".", "..") or any(c in name for c in "/\\\0") or not _is_text(name):
            detail = f"The path of {shown} ends in no name that a file could have."
            self.tell(codes.MLP5104, detail, "Give a URL whose path ends in the file's name, before any `?`.")
        elif url != (other := self.urls.get(name, url)) or name in self.files:
            self.clash(name, public_url(other) if name in self.urls else self.files[name], shown)
        else:
            self.urls[name] = url

    def path(self, source: str) -> None:
        here = os.path.normpath(os.path.join(self.root, source))
        if os.path.isdir(here):
            before = len(self.problems)
            taken = self.below(here, "", _everything)
            if not taken and len(self.problems) == before:
                self.tell(codes.MLP5102, f"The folder {source} holds no files.", "Put its files there first.")
        elif os.path.exists(here):
            self.add(os.path.basename(here), here, regular=os.path.isfile(here))
        elif has_wildcard(source):
            self.glob(source)
        else:
            detail = f"{source} is neither a file nor a folder."
            self.tell(meaning.MLP3304, detail, "Mend the path, which is relative to the manifest.")

    def glob(self, source: str) -> None:
        fixed, pattern = split_glob(source)
        start = os.path.normpath(os.path.join(self.root, fixed))
        hint = "Mend the pattern, which is relative to the manifest: `*` stops at a slash, `**` doesn't."
        if not os.path.isdir(start):
            self.tell(codes.MLP5102, f"{source} fits nothing: there is no folder {fixed}.", hint)
            return
        before = len(self.problems)
        taken = self.below(start, "", _Glob(pattern))
        if not taken and len(self.problems) == before:
            self.tell(codes.MLP5102, f"{source} fits no file.", hint)

    def below(
        self, here: str, path: str, wanted: Callable[[str], tuple[bool, bool]], above: tuple[str, ...] = ()
    ) -> int:
        """Takes the wanted files below a folder, and says how many. `path` is "" or ends in a slash."""
        taken = 0
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    inside = path + entry.name
                    if entry.is_dir():
                        if wanted(inside + "/")[1]:
                            taken += self.folder(entry, inside, wanted, above or (os.path.realpath(here),))
                    elif wanted(inside)[0]:
                        taken += 1
                        self.add(inside, entry.path, regular=entry.is_file())
        except OSError as error:
            detail = f"The folder {os.path.relpath(here, self.root)} can't be read: {error.strerror}."
            self.tell(codes.MLP5103, detail, "Mend its permissions.")
        return taken

    def folder(
        self, entry: os.DirEntry[str], path: str, wanted: Callable[[str], tuple[bool, bool]], above: tuple[str, ...]
    ) -> int:
        real = os.path.join(above[-1], entry.name)
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if real in above:
                detail = f"{os.path.relpath(entry.path, self.root)} is a link to a folder that it lies in itself."
                self.tell(codes.MLP5103, detail, "Remove the link.")
                return 0
        return self.below(entry.path, path + "/", wanted, (*above, real))

    def add(self, path: str, here: str, *, regular: bool) -> None:
        if not regular:
            what = "is a link to nothing" if os.path.islink(here) else "is no file: a socket, a pipe or a device"
            self.tell(codes.MLP5103, f"{os.path.relpath(here, self.root)} {what}.", "Remove it from the data.")
        elif not path.isascii() and not _is_text(path):
            shown = path.encode("utf-8", "backslashreplace").decode()
            self.tell(codes.MLP5104, f"The name of {shown} is not UTF-8.", "Rename the file.")
        elif path in self.urls:
            self.clash(path, public_url(self.urls[path]), here)
        elif self.files.setdefault(path, here) != here:
            self.clash(path, self.files[path], here)

    def files_in_place_of_folders(self) -> None:
        """A path can't be a file for one source and a folder for another."""
        folders: set[str] = set()
        for path in (*self.files, *self.urls):
            folder = path.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        self.place = None
        for path in sorted(folders & (self.files.keys() | self.urls.keys())):
            self.clash(path, "a folder of one source", "a file of another")

    def clash(self, path: str, one: str, other: str) -> None:
        shown = [os.path.relpath(name, self.root) if os.path.isabs(name) else name for name in (one, other)]
        self.tell(
            codes.MLP5101,
            f"Two sources want the path {path} in the dataset: {shown[0]} and {shown[1]}.",
            "Rename one of them, or put them into two datasets. A folder or glob that holds both keeps them apart.",
        )

    def tell(self, code: Code, detail: str, hint: str) -> None:
        self.problems.append(code.diagnostic(detail, hint=hint, labels=[Label(self.place)] if self.place else []))


def has_wildcard(path: str) -> bool:
    """Whether a source is a glob, unless something has just this name."""
    return any(char in path for char in "*?[")


def split_glob(source: str) -> tuple[str, str]:
    """A glob as its fixed beginning and the rest: `data/2024-*/x.csv` -> (`data`, `2024-*/x.csv`)."""
    segments = source.split("/")
    first = next(i for i, segment in enumerate(segments) if has_wildcard(segment))
    fixed = "/".join(segments[:first])
    return fixed or ("/" if source.startswith("/") else "."), "/".join(segments[first:])


def _everything(path: str) -> tuple[bool, bool]:
    return True, True


class _Glob:
    """Says of a path below the fixed beginning whether it is wanted, and of a folder whether to look into it."""

    def __init__(self, pattern: str) -> None:
        segments = [segment for segment in pattern.split("/") if segment not in ("", ".")]
        self.file = re.compile(_path_expression(segments), re.DOTALL)
        fixed_depth = segments.index("**") if "**" in segments else len(segments) - 1
        self.folders = [re.compile(_segment_expression(segment), re.DOTALL) for segment in segments[:fixed_depth]]
        self.deep = "**" in segments

    def __call__(self, path: str) -> tuple[bool, bool]:
        if path.endswith("/"):
            *_, name, _end = path.split("/")
            depth = path.count("/") - 1
            if depth >= len(self.folders):
                return False, self.deep
            return False, self.folders[depth].fullmatch(name) is not None
        return self.file.fullmatch(path) is not None, False


def _path_expression(segments: Sequence[str]) -> str:
    out = []
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
        else:
            out.append(_segment_expression(segment) + ("" if last else "/"))
    return "".join(out)


def _segment_expression(segment: str) -> str:
    """One segment: `*`, `?` and `[a-z]`, `[!a-z]`; a bracket that isn't closed means itself."""
    out = []
    for token in _tokens(segment):
        if token.strip("*") == "":
            out.append("[^/]*")
        elif token == "?":
            out.append("[^/]")
        elif len(token) > 2 and token[0] == "[":
            inside = token[1:-1]
            negated = inside[0] in "!^"
            members = (
                inside[negated:].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]").replace("^", r"\^")
            )
            members = members.replace("&&", r"&\&").replace("||", r"|\|").replace("~~", r"~\~")
            out.append(f"[^/{members}]" if negated else f"[{members}]")
        else:
            out.append(re.escape(token))
    return "".join(out)


def _tokens(segment: str) -> Iterator[str]:
    yield from re.findall(r"\*+|\?|\[[!^]?\]?[^\]/]*\]|.", segment, re.DOTALL)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
