"""What a model file may not do is found before it is loaded, however it is wrapped."""

from __future__ import annotations

import bz2
import collections
import gzip
import itertools
import lzma
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # has no types
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # has no types
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]  # has no types
from sklearn.preprocessing import FunctionTransformer, StandardScaler  # type: ignore[import-untyped]  # has no types

from mlplan.serving import model_files, pickles
from mlplan.serving.settings import Model


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def call_of(module: str, name: str, *arguments: Any) -> bytes:
    """A pickle that calls a function that need not exist here."""
    names = pickle.SHORT_BINUNICODE + bytes([len(module)]) + module.encode()
    names += pickle.SHORT_BINUNICODE + bytes([len(name)]) + name.encode()
    given = pickle.dumps(arguments, 4)[2:-1]
    if given.startswith(pickle.FRAME):
        given = given[9:]
    return pickle.PROTO + b"\x04" + names + pickle.STACK_GLOBAL + given + pickle.REDUCE + pickle.STOP


def names(tmp_path: Path, data: bytes) -> list[str]:
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    return [finding.name for finding in pickles.findings(str(path))]


BYPASSES = [
    "os.system",
    "posix.system",
    "nt.system",
    "subprocess.Popen",
    "subprocess.check_output",
    "_posixsubprocess.fork_exec",
    "builtins.eval",
    "builtins.exec",
    "builtins.compile",
    "builtins.__import__",
    "builtins.getattr",
    "builtins.open",
    "builtins.globals",
    "builtins.map",
    "builtins.filter",
    "builtins.setattr",
    "builtins.vars",
    "__builtin__.eval",
    "importlib.import_module",
    "runpy._run_code",
    "runpy.run_path",
    "ctypes.CDLL",
    "marshal.loads",
    "types.FunctionType",
    "types.CodeType",
    "pickle.loads",
    "_pickle.loads",
    "dill.loads",
    "cloudpickle.loads",
    "joblib.load",
    "joblib.numpy_pickle.load",
    "pandas.read_pickle",
    "numpy.load",
    "functools.reduce",
    "operator.attrgetter",
    "operator.methodcaller",
    "pydoc.pipepager",
    "pydoc.locate",
    "timeit.timeit",
    "timeit.main",
    "bdb.Bdb.run",
    "bdb.Bdb",
    "pdb.run",
    "cProfile.run",
    "profile.run",
    "cProfile.runctx",
    "code.InteractiveInterpreter.runcode",
    "code.interact",
    "codeop.compile_command",
    "doctest.debug_script",
    "doctest.debug",
    "trace.Trace.run",
    "ensurepip._run_pip",
    "pip._internal.main",
    "pip.main",
    "venv.create",
    "lib2to3.pgen2.grammar.Grammar.loads",
    "idlelib.pyshell.ModifiedInterpreter.runcommand",
    "idlelib.autocomplete.AutoComplete.get_entity",
    "idlelib.calltip.Calltip.fetch_tip",
    "distutils.file_util.write_file",
    "imaplib.IMAP4_stream",
    "multiprocessing.util.spawnv_passfds",
    "asyncio.unix_events._UnixSubprocessTransport._start",
    "logging.config._resolve",
    "logging.config.dictConfig",
    "unittest.mock._importer",
    "webbrowser.open",
    "shutil.rmtree",
    "pty.spawn",
    "socket.create_connection",
    "urllib.request.urlopen",
    "requests.get",
    "http.client.HTTPConnection",
    "smtplib.SMTP",
    "sqlite3.connect",
    "tempfile.mktemp",
    "pathlib.Path.write_text",
    "io.FileIO",
    "_io.FileIO",
    "zipimport.zipimporter",
    "numpy.testing._private.utils.runstring",
    "numpy.f2py.crackfortran.myeval",
    "numpy.f2py.crackfortran.param_eval",
    "numpy.f2py.capi_maps.getinit",
    "numpy.f2py.crackfortran._eval_length",
    "numpy.distutils.exec_command.exec_command",
    "numpy.lib.npyio.load",
    "numpy.memmap",
    "numpy.fromfile",
    "numpy.save",
    "numpy.vectorize",
    "numpy.apply_along_axis",
    "scipy._lib._testutils.run_monitored",
    "scipy.stats._distn_infrastructure.rv_continuous",
    "scipy.io.loadmat",
    "sklearn.externals.joblib.load",
    "sklearn.utils._testing.check_skip_network",
    "sklearn.datasets.load_files",
    "sklearn.utils.parallel._FuncWrapper",
    "sklearn.utils.metaestimators._AvailableIfDescriptor",
    "sklearn.utils.deprecation.deprecated",
    "sklearn.base.joblib",
    "sklearn.base.warnings",
    "torch.hub.load",
    "torch.load",
    "torch._inductor.codecache.compile_file",
    "torch.jit.unsupported_tensor_ops.execWrapper",
    "torch.utils._config_module.ConfigModule.load_config",
    "torch.utils.collect_env.run",
    "tensorflow.io.write_file",
    "keras.models.load_model",
    "nltk.downloader.download",
    "yaml.unsafe_load",
]


@pytest.mark.parametrize(
    ("bomb", "found"),
    [
        (Calls(list, itertools.count()), ["itertools.count"]),
        (Calls(np.sum, [range(10**12)]), ["a range of more than 100000000 numbers"]),
        (range(-5, 1000, 3), []),
    ],
    ids=["without an end", "with a far one", "a range"],
)
def test_a_few_bytes_may_not_fill_the_memory(tmp_path: Path, bomb: Any, found: list[str]) -> None:
    assert names(tmp_path, pickle.dumps(bomb)) == found


@pytest.mark.parametrize("name", BYPASSES)
def test_a_published_way_out_is_named(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    assert name in names(tmp_path, call_of(module, function, "id"))


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "pickle.loads", "numpy.f2py.crackfortran.myeval"])
def test_entry_scripts_models_are_looked_at_too(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    (tmp_path / "model.pkl").write_bytes(call_of(module, function, "id"))
    with pytest.raises(pickles.UnsafeModel, match=name):
        model_files.check_pickles([Model("m", "1", "", str(tmp_path), "")], ())


def test_entry_scripts_models_may_hold_classes_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(call_of("features.text", "Cleaner", "id"))
    model_files.check_pickles([Model("m", "1", "", str(tmp_path), "")], ())
    assert names(tmp_path, call_of("features.text", "Cleaner", "id")) == ["features.text.Cleaner"]


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    assert names(tmp_path, pickle.dumps([1, Calls(os.system, "id")], protocol)) == [f"{os.name}.system"]


SHAPES = {
    "global": b"cos\nsystem\n(S'id'\ntR.",
    "inst": b"(S'id'\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nS'id'\no.",
    "memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x02id\x85R.",
    "newobj": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85\x81.",
    "inside a list": b"](cos\nsystem\n(S'id'\ntRe.",
    "as a key": b"\x80\x04}(cos\nsystem\n(S'id'\ntRK\x01u.",
    "as a state": b"\x80\x04csklearn.base\nBaseEstimator\n)\x81}X\x01\x00\x00\x00acos\nsystem\n(S'id'\ntRsb.",
    "after a pop": b"cos\nsystem\n(S'id'\ntR0K\x01.",
    "as an argument": b"cbuiltins\nlist\n(cos\nsystem\n(S'id'\ntRtR.",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_to_call_is_seen(tmp_path: Path, shape: str) -> None:
    assert "os.system" in names(tmp_path, SHAPES[shape])


def test_a_name_with_a_way_through_attributes_is_refused(tmp_path: Path) -> None:
    data = call_of("sklearn.base", "BaseEstimator.__init__.__globals__.get", "os")
    assert names(tmp_path, data) == ["sklearn.base.BaseEstimator.__init__.__globals__.get"]


def test_a_change_to_a_class_is_refused(tmp_path: Path) -> None:
    data = b"\x80\x04csklearn.base\nBaseEstimator\n}X\x01\x00\x00\x00aK\x01sb."
    assert names(tmp_path, data) == ["a change to sklearn.base.BaseEstimator itself"]


def test_a_call_of_a_made_object_is_refused(tmp_path: Path) -> None:
    data = b"cfunctools\npartial\n(cbuiltins\nlist\ntR(tR."
    assert names(tmp_path, data) == ["a call of something that is no plain name: _Placeholder"]


def test_extensions_and_persistent_ids_are_refused(tmp_path: Path) -> None:
    assert names(tmp_path, b"\x80\x04\x82\x01.") == ["extension 1"]
    assert names(tmp_path, b"Pid\n.") == ["a persistent id"]


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "zlib 1": lambda data: zlib.compress(data, 1),
    "zlib 9": lambda data: zlib.compress(data, 9),
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "xz": lzma.compress,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_files_are_unpacked_first(tmp_path: Path, packing: str) -> None:
    assert names(tmp_path, PACKINGS[packing](SHAPES["global"])) == ["os.system"]


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)], ids=str)
def test_joblibs_files_are_read_past_their_arrays(tmp_path: Path, compress: Any) -> None:
    path = str(tmp_path / "model.pkl")
    grid = np.array([[1.0, 2.0], [3.0, 4.0]], order="F")
    table = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    joblib.dump([np.arange(1000.0), grid, table, np.array(["a", None], dtype=object)], path, compress=compress)
    assert pickles.findings(path) == ()
    numbers, back, rows, texts = pickles.load(path)
    assert numbers.tolist() == list(range(1000))
    assert back.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert rows["b"].tolist() == [2.0]
    assert texts.tolist() == ["a", None]
    numbers[0] = 5.0  # as writable as it was
    joblib.dump([np.arange(1000.0), Calls(os.system, "id")], path, compress=compress)
    assert [finding.name for finding in pickles.findings(path)] == [f"{os.name}.system"]
    joblib.dump([np.array([Calls(os.system, "id")], dtype=object)], path, compress=compress)
    assert [str(finding).partition(" ")[0] for finding in pickles.findings(path)] == [f"{os.name}.system"]


def test_a_pickle_inside_of_a_pickle_is_walked(tmp_path: Path) -> None:
    inner = pickle.dumps(Calls(os.system, "id"))
    assert names(tmp_path, pickle.dumps(Calls(pickle.loads, inner))) == ["_pickle.loads", f"{os.name}.system"]


@pytest.mark.parametrize("end", [1, 10, 60])
def test_a_file_cut_short_is_refused(tmp_path: Path, end: int) -> None:
    data = pickle.dumps(collections.OrderedDict(a=[1, 2, 3], b="four" * 20))
    assert names(tmp_path, data[:end])[0].startswith("a damaged pickle")


def test_the_loader_knows_the_rules_without_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.pkl"
    monkeypatch.setattr(pickles, "_refuse_findings", lambda *_: False)
    path.write_bytes(SHAPES["global"])
    with pytest.raises(pickles.UnsafeModel, match=r"os\.system"):
        pickles.load(str(path))
    monkeypatch.setattr(pickles, "_refuse_findings", lambda *_: True)
    with pytest.raises(pickles.UnsafeModel, match=r"os\.system"):
        pickles.load(str(path))


def test_what_a_project_allows_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Calls(os.path.join, "a", "b")))
    with pytest.raises(pickles.UnsafeModel, match=r"posixpath\.join \(at byte \d+\)\n.*pickle_allow"):
        pickles.load(str(path))
    assert pickles.load(str(path), ["posixpath.join"]) == "a/b"
    assert pickles.load(str(path), ["posixpath.*"]) == "a/b"


def test_a_pipeline_comes_back_and_answers(tmp_path: Path) -> None:
    rows, labels = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    model = make_pipeline(FunctionTransformer(np.tanh), StandardScaler(), LogisticRegression()).fit(rows, labels)
    path = str(tmp_path / "model.joblib")
    joblib.dump(model, path)
    assert pickles.load(path).predict_proba(rows).tolist() == model.predict_proba(rows).tolist()


def test_a_models_files_are_checked_by_digest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.sh").write_bytes(b"two\n")
    (tmp_path / "sub" / "b.sh").chmod(0o755)
    digest = "a0ef7bac785dada83c7fa5f3818cd9e70080cc2e4a58bbbd58d0451993eadfda"
    assert model_files.tree_digest(str(tmp_path)) == digest
    model_files.check_digest(Model("m", "1", digest, str(tmp_path), ""))
    (tmp_path / "a.txt").write_bytes(b"ONE\n")
    with pytest.raises(model_files.AlteredModel, match="m:1"):
        model_files.check_digest(Model("m", "1", digest, str(tmp_path), ""))
