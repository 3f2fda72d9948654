"""What a Python file says: its syntax tree without comments, docstrings and layout, and what it imports. Pure.

The tree is spelt by this module, not by `ast.dump`, so that the same file has the same digest under every Python that
runs mlplan: fields that are empty are left out, so that fields which newer Pythons add make no difference.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterator
from typing import Any

from mlplan.fingerprint.meaning import NOT_PYTHON, PythonMeaning

_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that say nothing about what is executed, or repeat what their place says."""

_DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTERS = frozenset({"import_module", "__import__", "run_module", "run_path"})
"""Functions that import what their first argument names."""
_EXECUTORS = frozenset({"exec", "eval", "spec_from_file_location", "walk_packages", "iter_modules"})
"""Functions after which nobody can say beforehand what is imported."""

_LONG = 10**1000
"""Integers from here on are spelt in hexadecimal: Python refuses to spell very long ones as decimals."""


def python_meaning(content: bytes) -> PythonMeaning:
    """What a file says. One that doesn't parse counts by its bytes, and as if it might import anything."""
    # A program that reads its docstrings (argparse, docopt) is decided by them as well.
    keep_docs = b"__doc__" in content
    digest = hashlib.sha256()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" is between the user and Python
            tree = ast.parse(content)
        for piece in _spelt(tree, keep_docs):
            digest.update(piece.encode("ascii", "backslashreplace"))
        imports, dynamic = _imports(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PythonMeaning(hashlib.sha256(content).hexdigest(), NOT_PYTHON, True)
    return PythonMeaning(digest.hexdigest(), tuple(sorted(imports)), dynamic)


def _spelt(node: ast.AST, keep_docs: bool) -> Iterator[str]:
    """The tree as text, piece by piece: `(Name id='x')`."""
    yield f"({type(node).__name__}"
    for field in node._fields:
        value: Any = getattr(node, field, None)
        if field == "body" and not keep_docs and isinstance(node, _DOCUMENTED):
            value = _without_docstring(value)
        if isinstance(node, ast.JoinedStr):
            value = [part for part in value if not _is_empty_text(part)]  # some Pythons put empty text there
        if field in _LEFT_OUT or value == [] or (value is None and not isinstance(node, ast.Constant)):
            continue
        yield f" {field}="
        if isinstance(value, ast.AST):
            yield from _spelt(value, keep_docs)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield from _spelt(item, keep_docs)
                else:
                    yield ascii(item) + ","
        elif type(value) is int:
            yield f"int:{value}" if abs(value) < _LONG else f"int:{value:#x}"
        else:
            yield f"{type(value).__name__}:{value!a}"  # what repr escapes depends on the Python
    yield ")"


def _is_empty_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def _imports(tree: ast.AST) -> tuple[set[str], bool]:
    """Modules by the names they are imported by, Python files by literal paths, and whether there may be more."""
    found: set[str] = set()
    dynamic = False
    followed: set[int] = set()  # mentions of importers that were called with a literal
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            joint = "" if base.endswith(".") or not base else "."
            found.add(base)
            found.update(f"{base}{joint}{alias.name}" for alias in node.names if alias.name != "*")
            dynamic |= any(alias.asname and alias.name in _IMPORTERS for alias in node.names)
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
            name = first.value if isinstance(first, ast.Constant) else None
            # A path without .py may be a folder or an archive: nobody follows into that.
            if isinstance(name, str) and (_named(node.func) != "run_path" or name.endswith(".py")):
                found.update([name] if _named(node.func) in _IMPORTERS else ())
                followed.add(id(node.func))
            dynamic |= _named(node.func) in _EXECUTORS
        elif isinstance(node, (ast.Name, ast.Attribute)) and _named(node) in _IMPORTERS:
            dynamic |= id(node) not in followed  # a call is walked before the function it names
        elif isinstance(node, ast.Attribute) and node.attr == "path" and _is_sys(node.value):
            dynamic = True  # where modules are looked for is altered, or may be
        elif isinstance(node, ast.Assign) and any(_named(target) == "__all__" for target in node.targets):
            found.update(f".{name}" for name in _texts(node.value))  # what `import *` of a package brings in
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".py"):
            found.add(node.value)  # run as a program of its own, most likely
    return found, dynamic


def _named(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        # A method named `eval` (a model in PyTorch, a frame in pandas) is not Python's own.
        return "" if node.attr in ("eval", "exec") else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _texts(node: ast.expr) -> list[str]:
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def _is_sys(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "sys"
