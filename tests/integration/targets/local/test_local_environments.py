"""Environments built by a stand-in for uv, which needs no network, and one by uv itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from on_targets import silent

from mlplan.errors import Refusal
from mlplan.targets.local import environments
from mlplan.targets.local.environments import cache_folder, interpreter, is_built
from mlplan.targets.protocols import Environment

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
EMPTY = Environment("0" * 64, VERSION, "")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MLPLAN_CACHE_DIR", str(folder))
    return folder


FAKE_UV = f"""#!{sys.executable}
import os, sys
counter = os.environ["FAKE_UV_LOG"]
with open(counter, "a") as log:
    log.write(" ".join(sys.argv[1:3]) + "\\n")
folder = sys.argv[-1]
if sys.argv[1] == "venv":
    if os.environ.get("FAKE_UV_FAIL") == "venv":
        sys.exit("error: No interpreter found for Python 9.9")
    os.makedirs(os.path.join(folder, "bin"))
    os.symlink({sys.executable!r}, os.path.join(folder, "bin", "python"))
    os.makedirs(os.path.join(folder, "lib", "python9.9", "site-packages"))
else:
    print("Downloading thing (1.0MiB)", file=sys.stderr)
    if os.environ.get("FAKE_UV_FAIL") == "sync":
        sys.exit("error: Failed to download thing")
    open(os.path.join(os.path.dirname(folder), "lib", "python9.9", "site-packages", "thing.py"), "w").close()
"""


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of what a stand-in for uv was asked."""
    program = tmp_path / "uv"
    program.write_text(FAKE_UV)
    program.chmod(0o755)
    monkeypatch.setattr(environments, "find_uv", lambda: str(program))
    monkeypatch.setenv("FAKE_UV_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def test_without_an_environment_it_is_the_interpreter_that_runs_mlplan() -> None:
    assert interpreter(None, silent) == sys.executable
    assert is_built(None)


def test_it_is_built_once_and_its_progress_passed_on(uv: Path, cache: Path) -> None:
    said: list[str] = []
    assert not is_built(EMPTY)

    python = interpreter(EMPTY, lambda stage, detail: said.append(f"{stage} {detail}"))
    again = interpreter(EMPTY, silent)

    assert python == again == str(cache / "environments" / ("0" * 32) / "bin" / "python")
    assert is_built(EMPTY)
    assert uv.read_text() == "venv --quiet\npip sync\n"
    assert said == [
        f"Preparing environment: Python {VERSION}",
        "Preparing environment: Downloading thing (1.0MiB)",
    ]


@pytest.mark.parametrize("damage", ["ready", "bin/python", "lib/python9.9/site-packages/thing.py"])
def test_a_damaged_one_is_built_anew(uv: Path, damage: str) -> None:
    folder = Path(interpreter(EMPTY, silent)).parent.parent
    (folder / damage).unlink()
    assert not is_built(EMPTY)

    interpreter(EMPTY, silent)

    assert is_built(EMPTY)
    assert len(uv.read_text().splitlines()) == 4


def test_what_a_script_leaves_beside_its_packages_does_no_harm(uv: Path) -> None:
    folder = Path(interpreter(EMPTY, silent)).parent.parent
    (folder / "lib" / "python9.9" / "site-packages" / "__pycache__").mkdir()

    assert is_built(EMPTY)


def test_of_processes_that_need_it_at_once_one_builds_it(uv: Path) -> None:
    program = f"""
from mlplan.targets.local import environments
from mlplan.targets.protocols import Environment
environments.find_uv = lambda: {str(uv.parent / "uv")!r}
environments.interpreter({EMPTY!r}, lambda stage, detail: None)
"""
    crowd = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [process.wait() for process in crowd] == [0, 0, 0, 0]

    assert uv.read_text() == "venv --quiet\npip sync\n"


@pytest.mark.parametrize(("step", "code", "words"), [("venv", "MLP8102", "9.9"), ("sync", "MLP8103", "Failed to")])
def test_a_failure_tells_uvs_last_words_and_is_begun_anew(
    uv: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: str, words: str
) -> None:
    monkeypatch.setenv("FAKE_UV_FAIL", step)
    with pytest.raises(Refusal) as refused:
        interpreter(EMPTY, silent)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.detail
    assert not is_built(EMPTY)

    monkeypatch.delenv("FAKE_UV_FAIL")
    interpreter(EMPTY, silent)
    assert is_built(EMPTY)


def test_without_uv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "find_uv", lambda: None)

    with pytest.raises(Refusal, match="MLP8101") as refused:
        interpreter(EMPTY, silent)

    assert "-m pip install uv" in refused.value.diagnostics[0].hint


def test_the_cache_is_the_users(tmp_path: Path) -> None:
    if sys.platform != "darwin":
        assert cache_folder({"XDG_CACHE_HOME": "/x"}) == "/x/mlplan"
        assert cache_folder({}) == os.path.expanduser("~/.cache/mlplan")
    assert cache_folder({"MLPLAN_CACHE_DIR": "/y", "XDG_CACHE_HOME": "/x"}) == "/y"


def test_uv_makes_an_environment_of_its_own() -> None:
    python = interpreter(EMPTY, silent)

    shown = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == os.path.dirname(os.path.dirname(python))
    assert subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False).returncode == 1


def test_a_cache_that_cannot_be_written_is_told(cache: Path, uv: Path) -> None:
    cache.write_text("in the way")

    with pytest.raises(Refusal, match="MLP8105") as refused:
        interpreter(EMPTY, silent)

    assert "MLPLAN_CACHE_DIR" in refused.value.diagnostics[0].hint
