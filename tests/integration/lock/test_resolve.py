"""Packages resolved by the real uv: from a folder of made-up wheels, and one small package from the real index."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import zipfile
from pathlib import Path

import pytest

from mlplan.errors import ExitCode, Refusal
from mlplan.lock.environment import environment_request
from mlplan.lock.requirements import name_of
from mlplan.lock.resolve import requirements_text, resolve, resolve_missing, upgrade_package
from mlplan.lock.types import EMPTY, EnvironmentRequest, LockedEnvironment


def wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    """A wheel without code, small and always the same bytes."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {requirement}\n" for requirement in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose requirements come from a folder beside it alone."""
    wheels = tmp_path / "wheels"
    wheel(wheels, "apple", "1.0", "pear")
    wheel(wheels, "apple", "1.1", "pear")
    wheel(wheels, "pear", "2.0")
    wheel(wheels, "pear", "2.1")
    wheel(wheels, "later", "1.0", "pear; python_version >= '3.13'")
    return tmp_path


def request(project: Path, *lines: str) -> EnvironmentRequest:
    (project / "requirements.txt").write_text("\n".join(["--no-index", "--find-links wheels", *lines]))
    return environment_request({"python": "3.11", "file": "requirements.txt"}, root=str(project))


def pins(environment: LockedEnvironment) -> list[str]:
    return [package.partition(" --hash=sha256:")[0] for package in environment.packages]


def test_everything_is_pinned_with_its_hash_and_nothing_says_where_it_came_from(project: Path) -> None:
    found = resolve(request(project, "apple"), root=str(project))
    assert pins(found) == ["apple==1.1", "pear==2.1"]
    assert all(len(package.partition("--hash=sha256:")[2]) == 64 for package in found.packages)
    assert "wheels" not in "".join(found.packages)
    assert resolve(request(project, "apple"), root=str(project)) == found


def test_bounds_of_a_constraints_file_count(project: Path) -> None:
    (project / "bounds.txt").write_text("pear<2.1\n")
    assert pins(resolve(request(project, "apple", "-c bounds.txt"), root=str(project))) == ["apple==1.1", "pear==2.0"]


def test_what_another_python_would_need_is_left_out(project: Path) -> None:
    assert pins(resolve(request(project, "later"), root=str(project))) == ["later==1.0"]


def test_a_new_request_moves_nothing_that_is_pinned(project: Path) -> None:
    old = request(project, "apple==1.0", "pear==2.0")
    lock = resolve_missing(EMPTY, [old], root=str(project))
    new = request(project, "apple", "later")
    lock = resolve_missing(lock, [old, new], root=str(project))
    assert pins(lock.environments[new.digest]) == ["apple==1.0", "later==1.0", "pear==2.0"]


def test_one_package_is_upgraded_and_the_others_stay(project: Path) -> None:
    asked = request(project, "apple")
    before = LockedEnvironment(asked.digest, "3.11", ("apple==1.0", "pear==2.0"))
    lock = EMPTY._replace(environments={asked.digest: before})
    lock = upgrade_package(lock, [asked], "Pear", root=str(project))
    assert pins(lock.environments[asked.digest]) == ["apple==1.0", "pear==2.1"]


def test_a_package_that_nothing_has_cant_be_upgraded(project: Path) -> None:
    asked = request(project, "apple")
    lock = EMPTY._replace(environments={asked.digest: LockedEnvironment(asked.digest, "3.11", ("apple==1.0",))})
    with pytest.raises(Refusal) as caught:
        upgrade_package(lock, [asked], "aple", root=str(project))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("MLP7113", "Did you mean apple?")


def test_a_url_that_nothing_pins_is_named_as_it_was_typed(project: Path) -> None:
    with pytest.raises(Refusal) as caught:
        upgrade_package(EMPTY, [], "https://example.org/data.csv", root=str(project))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.detail == "mlplan.lock pins no package and no URL `https://example.org/data.csv`."
    assert diagnostic.hint == "Name one as it stands in mlplan.lock."


def test_what_doesnt_fit_is_told_in_uvs_words(project: Path) -> None:
    said: list[str] = []
    with pytest.raises(Refusal) as caught:
        resolve(request(project, "apple==7"), root=str(project), on_line=said.append)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "MLP7110"
    assert "apple==7" in diagnostic.detail
    assert any("No solution found" in line for line in said)


def test_an_index_out_of_reach_is_told_without_its_password(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://ann:canary@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    with pytest.raises(Refusal) as caught:
        resolve(EnvironmentRequest("3.11", ("no-such-package-of-ours",)), root=str(project))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "MLP7112"
    assert "canary" not in str(diagnostic)


def test_offline_is_said_clearly(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(Refusal) as caught:
        resolve(EnvironmentRequest("3.11", ("no-such-package-of-ours",)), root=str(project))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "MLP7112"
    assert "UV_OFFLINE" in diagnostic.hint


def test_it_ends_when_asked_to_stop(project: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Refusal) as caught:
        resolve(request(project, "apple"), root=str(project), stop=stop)
    assert caught.value.exit_code == ExitCode.INTERRUPTED


def test_what_a_target_installs_names_the_indexes_again(project: Path) -> None:
    asked = request(project, "apple", "--extra-index-url https://${USER_X}:${KEY_X}@host.example/simple")
    text = requirements_text(asked, LockedEnvironment("", "3.11", ("apple==1.1 --hash=sha256:00",)), str(project))
    assert text == (
        f"--no-index\n--find-links {project}/wheels\n"
        "--extra-index-url https://${USER_X}:${KEY_X}@host.example/simple\napple==1.1 --hash=sha256:00\n"
    )


@pytest.mark.skipif(os.environ.get("UV_OFFLINE") == "1", reason="uv is told to stay offline")
def test_a_small_package_from_the_real_index(tmp_path: Path) -> None:
    found = resolve(EnvironmentRequest("3.11", ("six==1.16.0",)), root=str(tmp_path))
    assert pins(found) == ["six==1.16.0"]
    assert "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254" in found.packages[0]
    assert name_of(found.packages[0]) == "six"
