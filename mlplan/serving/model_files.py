"""The files of a service's models: whether they are the registered ones, and what they may do.

A model's digest is the sha256 of a listing of its files, as the workspace makes it; an empty digest isn't checked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256

from . import pickles
from .pickle_names import is_allowed
from .settings import Model

_PIECE = 1 << 20
_LIBRARIES = ("numpy", "scipy", "sklearn", "pandas", "joblib")


class AlteredModel(Exception):
    """The files of a model are not those that were registered."""


def check_digest(model: Model) -> None:
    """Raises: AlteredModel where the files have another digest than the model; OSError."""
    if model.digest and tree_digest(model.path) != model.digest:
        raise AlteredModel(
            f"{model.path}: these are not the files of {model.name}:{model.version}: their digest differs"
        )


def tree_digest(folder: str) -> str:
    """The digest of all files below a folder, 64 hex digits."""
    entries = sorted((os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in _files(folder))
    listing = sha256(b"mlplan tree 1\n")
    for name, path in entries:
        status = os.stat(path)
        mode = "x" if status.st_mode & 0o100 else "-"
        escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
        line = f"{_file_digest(path)} {status.st_size} {mode} {escaped}\n"
        listing.update(line.encode("utf-8", "surrogateescape"))
    return listing.hexdigest()


def check_pickles(models: Sequence[Model], added: Sequence[str]) -> None:
    """Looks at the pickles that an entry script is going to load.

    The classes in them may be the project's own, or of any library that it depends on. What may not be there are
    the parts of the standard library, and of the numeric libraries, that run code. Raises: UnsafeModel, OSError.
    """
    judge = partial(_is_allowed_to_scripts, added=added)
    for model in models:
        for path in _files(model.path):
            if path.endswith(pickles.PICKLES):
                pickles.check(path, judge)


def _is_allowed_to_scripts(module: str, name: str, added: Sequence[str]) -> bool:
    package = module.partition(".")[0]
    if "." not in name and package not in _STANDARD and package not in _LIBRARIES:
        return True
    return is_allowed(module, name, added)


# Before Python 3.10 the standard library doesn't list itself: these are the modules that pickles were armed with.
_ARMED = """
_io _pickle _posixsubprocess _thread asyncio bdb builtins cProfile code codecs codeop commands concurrent contextlib
ctypes distutils doctest ensurepip functools getpass gzip http idlelib imaplib imp importlib inspect io lib2to3
logging
marshal multiprocessing nt operator os pathlib pdb pickle pip pkgutil platform posix profile pty pydoc requests runpy
shelve shutil signal site smtplib socket sqlite3 ssl string subprocess sys sysconfig tempfile test threading timeit
tokenize trace turtle types unittest urllib uuid venv webbrowser zipimport __builtin__
"""
_STANDARD = frozenset(_ARMED.split()) | frozenset(getattr(sys, "stdlib_module_names", ()))


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _file_digest(path: str) -> str:
    digest = sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def only_model_file(folder: str, suffixes: tuple[str, ...]) -> str:
    """The one model file below a folder, by its suffix. Raises: FileNotFoundError where there isn't exactly one."""
    found: list[str] = [path for path in _files(folder) if path.endswith(suffixes)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(suffixes)
    raise FileNotFoundError(f"{folder}: a model that serves itself is one file ({listed}); there are {len(found)}")
