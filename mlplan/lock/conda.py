"""Conda files (`conda.yml`), read for what uv can give: a Python version and packages from a Python index. Pure.

What only conda has (compilers, CUDA, system libraries, R) is an error that names it all at once. A package that the
index knows by another name is asked for by that name, with a warning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mlplan.codes import read as codes
from mlplan.diagnostics import Label
from mlplan.lock.requirements import (
    PIN_HINT,
    Read,
    Unreadable,
    canonical_name,
    normalised,
    read_requirements,
)
from mlplan.source import Span

if TYPE_CHECKING:
    from mlplan.codes import Code
    from mlplan.diagnostics import Diagnostic, Severity

_ON_THE_INDEX = {
    "pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch", "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost", "opencv": "opencv-python", "py-opencv": "opencv-python", "pytables": "tables",
    "msgpack-python": "msgpack", "python-graphviz": "graphviz", "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn", "dask-core": "dask", "ruamel_yaml": "ruamel.yaml", "tensorflow-gpu": "tensorflow",
    "tensorflow-base": "tensorflow", "tensorflow-mkl": "tensorflow", "python-blosc": "blosc",
    "python-flatbuffers": "flatbuffers", "pyqt": "PyQt5",
}  # fmt: skip
"""Names that differ between conda's channels and the Python index."""

_CONDA_ONLY = re.compile(
    r"cudatoolkit(-dev)?|cuda(-.*)?|cudnn|nccl|pytorch-cuda|pytorch-mutex|cpuonly|magma-.*|tensorrt-lib.*"
    r"|(c|cxx|fortran)-compiler|compilers|g(cc|xx|fortran)(_.*)?|clang(xx)?(_.*)?|binutils(_.*)?|ld_impl_.*|sysroot_.*"
    r"|make|automake|autoconf|libtool|pkg-config|m2-.*|m2w64-.*|vs20.*|vc|vc14_runtime|ucrt"
    r"|_libgcc_mutex|_openmp_mutex|_r-mutex|lib.*-ng|lib(gomp|gfortran.*|blas|cblas|lapack|lapacke|openblas|png|tiff|uuid"
    r"|xml2|xslt|curl|ffi|sodium|protobuf|spatialindex|gdal|gl.*|x.*|sndfile|aio|iconv|zlib)"
    r"|blas|openblas|nomkl|atlas|openmpi|mpich|ucx|openssl|zlib|bzip2|xz|lz4-c|zstd|snappy|sqlite|ncurses|readline|tk"
    r"|ca-certificates|expat|freetype|fontconfig|jpeg|icu|krb5|glib|cairo|pango|qt(-main)?|hdf5|libnetcdf|proj|geos"
    r"|openjdk|java-.*|maven|r|r-.*|julia|perl|ruby|go|rust|ffmpeg|git|git-lfs|curl|wget|unzip|vim|tmux|bash|zsh"
    r"|conda|conda-.*|mamba|micromamba|anaconda|__.*",
    re.IGNORECASE,
)
"""Names that only conda's channels have, or that name another thing on the Python index."""

_KNOWN_CHANNELS = frozenset({"defaults", "conda-forge", "anaconda", "main", "pytorch", "nvidia", "nodefaults"})
_KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables"})
_CONDA_SPEC = re.compile(r"(?:(?P<channel>[^\s]+)::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<rest>.*)")
_ONLY_HINT = (
    "Remove them where the script doesn't need them: the CUDA libraries, for one, come with the packages of `torch`\n"
    "and `tensorflow` themselves. What has to be there, install on the machine, or write a Dockerfile with it for\n"
    "compute of type docker."
)


class CondaFile(NamedTuple):
    """What a conda file asks for, in pip's words."""

    python: str  # "==3.11", ">=3.9": as a version specifier; "" where it says nothing
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    indexes: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


class _Reader:
    """Collects what a conda file says and what is wrong with it."""

    def __init__(self, file: str, text: str, read: Read) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.read = read
        self.python = ""
        self.requirements: list[str] = []
        self.constraints: list[str] = []
        self.indexes: tuple[str, ...] = ()
        self.problems: list[Diagnostic] = []
        self.conda_only: list[tuple[str, Span]] = []

    def place(self, said: str) -> Span:
        """Where the file says this: the line that holds it, or the file's first."""
        for number, line in enumerate(self.lines, start=1):
            column = line.find(said)
            if column >= 0 and not line.lstrip().startswith("#"):
                return Span(self.file, number, column + 1, number, column + 1 + len(said))
        return Span(self.file, 1, 1, 1, 1)

    def tell(self, code: Code, said: str, detail: str, hint: str = "", severity: Severity | None = None) -> None:
        self.problems.append(code.diagnostic(detail, hint=hint, labels=[Label(self.place(said))], severity=severity))

    def dependency(self, item: object) -> None:
        if isinstance(item, str):
            self.conda_package(item.strip())
        elif isinstance(item, dict) and set(item) == {"pip"} and isinstance(item["pip"], list | None):
            self.pip_packages([str(line) for line in item["pip"] or ()])
        else:
            self.tell(codes.MLP1301, "dependencies", f"`{item}` is neither a package nor a list `pip:`.", PIN_HINT)

    def conda_package(self, item: str) -> None:
        spec = _CONDA_SPEC.fullmatch(item)
        if not spec:
            self.tell(codes.MLP1301, item, f"`{item}` is no package as conda writes it.", PIN_HINT)
            return
        name = spec["name"]
        version, build = version_specifier(spec["rest"].strip())
        if name == "python":
            self.python = version
        elif name == "pip":
            return  # only there so that conda reads the list `pip:`
        elif _CONDA_ONLY.fullmatch(name):
            self.conda_only.append((item, self.place(item)))
        else:
            self.python_package(item, name, version, build)

    def python_package(self, item: str, name: str, version: str, build: str) -> None:
        known_as = _ON_THE_INDEX.get(name.lower(), name)
        try:
            requirement = normalised(f"{known_as}{version}")
        except Unreadable as why:
            self.tell(codes.MLP1301, item, f"`{item}` is no package as conda writes it: {why}.", PIN_HINT)
            return
        self.requirements.append(requirement)
        if canonical_name(known_as) != canonical_name(name):
            detail = f"conda's `{name}` is `{known_as}` on the Python index; that is what is installed."
            self.tell(
                codes.MLP1306, item, detail, f"To see the same name everywhere, put it under `pip:`: `{requirement}`."
            )
        elif build:
            detail = f"`{item}` asks for the build `{build}`, which only conda knows; its version alone counts."
            self.tell(codes.MLP1306, item, detail, f"Leave the build out: `{name}{version}`.")

    def pip_packages(self, lines: list[str]) -> None:
        """The list under `pip:` is a requirements file, line by line."""
        listed = read_requirements(self.file, "\n".join(lines), self.read)
        self.requirements += listed.requirements
        self.constraints += listed.constraints
        self.indexes = listed.indexes
        for problem in listed.problems:
            span = problem.span
            if span and span.file == self.file and span.line <= len(lines):
                problem = problem._replace(labels=(Label(self.place(lines[span.line - 1].strip())),))
            self.problems.append(problem)

    def surroundings(self, content: dict[str, Any]) -> None:
        for key in content.keys() - _KEYS:
            self.tell(codes.MLP1306, str(key), f"A conda file has no key `{key}`; it is not used.", "Remove it.")
        if content.get("variables"):
            self.tell(
                codes.MLP1306,
                "variables",
                "The `variables` of a conda file are not set for a run.",
                "Put them under `env` of the run or inference in the manifest.",
            )
        for channel in content.get("channels") or ():
            if str(channel) not in _KNOWN_CHANNELS:
                detail = f"Packages come from a Python index; the channel `{channel}` is not asked."
                self.tell(
                    codes.MLP1306, str(channel), detail, "Remove the channel, or see that the index has its packages."
                )

    def only_conda_has(self) -> None:
        if self.conda_only:
            names = ", ".join(f"`{item}`" for item, _ in self.conda_only)
            detail = f"mlplan builds environments with uv from a Python index. Only conda has: {names}."
            labels = [Label(span, "only conda has it") for _, span in self.conda_only]
            self.problems.append(codes.MLP1307.diagnostic(detail, hint=_ONLY_HINT, labels=labels))


def read_conda(file: str, text: str, read: Read) -> CondaFile:
    """What a conda file asks for. `file` is its path from the project's folder."""
    import yaml

    reader = _Reader(file, text, read)
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        why = getattr(error, "problem", None) or "it can't be parsed"
        labels = [Label(Span(file, line, column, line, column + 1))]
        reader.problems.append(
            codes.MLP1308.diagnostic(f"{file} is no YAML: {why}.", labels=labels, hint="Mend it there.")
        )
        content = {"dependencies": []}
    dependencies = content.get("dependencies") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(dependencies, list):
        reader.tell(
            codes.MLP1308,
            "dependencies",
            f"{file} is no conda file: it has no list `dependencies`.",
            "List its packages below `dependencies:`.",
        )
        return CondaFile("", (), (), (), tuple(reader.problems))
    reader.surroundings(content)
    for item in dependencies:
        reader.dependency(item)
    reader.only_conda_has()
    return CondaFile(
        reader.python,
        tuple(reader.requirements),
        tuple(reader.constraints),
        reader.indexes,
        tuple(reader.problems),
    )


def version_specifier(rest: str) -> tuple[str, str]:
    """What follows a name in conda's words, as pip's specifier and conda's build: `=1.2=py_0` -> (`==1.2.*`, `py_0`).

    One `=` means "begins with": `1.2` is any 1.2. Three numbers name one release.
    """
    if not rest or rest == "*":
        return "", ""
    if not rest.startswith("==") and (fuzzy := re.fullmatch(r"=?\s*([0-9][^\s=,<>!|]*)(?:\s*=\s*|\s+)?(\S*)", rest)):
        version, build = fuzzy[1], fuzzy[2]
        if version.endswith("*"):
            return f"=={version.rstrip('*').rstrip('.')}.*", build
        exact = rest[0] != "=" or version.count(".") >= 2 or not version.replace(".", "").isdigit()
        return (f"=={version}" if exact else f"=={version}.*"), build
    exact_pin = re.fullmatch(r"==\s*([^\s=,]+)(?:\s*=\s*|\s+)(\S+)", rest)
    if exact_pin:
        return f"=={exact_pin[1]}", exact_pin[2]
    return ",".join(_clause(clause.strip()) for clause in rest.split(",")), ""


def _clause(clause: str) -> str:
    if re.match(r"[0-9]", clause):
        return f"=={clause}"
    return re.sub(r"^=(?!=)", "==", clause)
