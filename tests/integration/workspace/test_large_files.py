"""One large file in a bucket: what was sent or fetched of it before a cut isn't sent or fetched again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from object_stores import Proxy, azure, azure_server, carried, s3, s3_server

from mlplan.errors import Refusal
from mlplan.workspace.parallel import in_parallel
from mlplan.workspace.shared_artifacts import SharedArtifacts

from .test_buckets import PROJECT, clone, make, read
from .test_encryption import key, new_key
from .test_moving import done, in_step

__all__ = ["azure", "azure_server", "carried", "key", "s3", "s3_server"]

pytestmark = pytest.mark.buckets

MIB = 1 << 20
LARGE = os.urandom(100 * MIB)
SEALING = 48 + 16 * 16
"""Bytes that encryption adds to a part of 4 MiB."""


@pytest.fixture(params=["plain", "encrypted"])
def added(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many bytes all parts have more than what is in them."""
    if request.param == "plain":
        return 0
    monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", new_key())
    return 25 * SEALING


def parts(proxy: Proxy) -> list[tuple[str, int]]:
    """The parts that the server got, with their sizes."""
    return [(path, size) for path, size in proxy.carried if "-of-25" in path and size]


def test_an_upload_that_was_cut_off_sends_what_is_missing(
    carried: tuple[str, Proxy], added: int, tmp_path: Path
) -> None:
    place, proxy = carried
    ann = clone(tmp_path, "ann", place).artifacts
    make(tmp_path / "in", {"large": LARGE})
    proxy.only, proxy.faults = "PUT", [""] * 12 + ["403 AccessDenied"] * 100
    with pytest.raises(Refusal, match="MLP4402"):
        ann.put_folder(str(tmp_path / "in"))
    first = parts(proxy)
    assert len(first) in (11, 12)  # an encrypted workspace's key is sent before

    proxy.faults, proxy.carried = [], []
    told: list[tuple[int, int]] = []
    tree = clone(tmp_path, "ann", place).artifacts.put_folder(
        str(tmp_path / "in"), on_sent=lambda sent, total: told.append((sent, total))
    )
    second = parts(proxy)
    assert len(first) + len(second) == 25
    assert {path for path, _ in first}.isdisjoint(path for path, _ in second)
    assert sum(size for _, size in first + second) == 100 * MIB + added
    assert told[-1] == (100 * MIB, 100 * MIB)
    assert read(clone(tmp_path, "bob", place).artifacts.view(tree.digest)) == {"large": LARGE}


def test_a_download_that_was_cut_off_fetches_what_is_missing(
    carried: tuple[str, Proxy], added: int, tmp_path: Path
) -> None:
    place, proxy = carried
    tree = clone(tmp_path, "ann", place).artifacts.put_folder(make(tmp_path / "in", {"large": LARGE}))
    bob = clone(tmp_path, "bob", place).artifacts
    bob.tree(tree.digest)
    proxy.requests = []
    proxy.only, proxy.faults = "GET", [""] * 20 + ["403 AccessDenied"] * 100
    with pytest.raises(Refusal, match="MLP4402"):
        bob.view(tree.digest)
    proxy.requests, proxy.faults = [], []
    assert read(clone(tmp_path, "bob", place).artifacts.view(tree.digest)) == {"large": LARGE}
    fetched = [path for method, path in proxy.requests if method == "GET" and "-of-25" in path]
    assert len(fetched) == 9  # sixteen came, eight at a time


def test_a_half_that_a_power_cut_spoilt_is_fetched_anew(s3: str, tmp_path: Path) -> None:
    tree = clone(tmp_path, "ann", s3).artifacts.put_folder(make(tmp_path / "in", {"large": LARGE}))
    bob = clone(tmp_path, "bob", s3).artifacts
    assert isinstance(bob, SharedArtifacts)
    digest = tree.files[0].sha256
    make(tmp_path / "bob/.mlplan/cache/artifacts/begun", {digest: bytes(20 * MIB)})
    assert read(bob.view(tree.digest)) == {"large": LARGE}
    assert os.listdir(tmp_path / "bob/.mlplan/cache/artifacts/begun") == []


def test_those_that_fetch_the_same_at_once_all_get_it(s3: str, tmp_path: Path) -> None:
    tree = clone(tmp_path, "ann", s3).artifacts.put_folder(make(tmp_path / "in", {"large": LARGE[: 40 * MIB]}))
    bobs = {str(tmp_path / f"out{n}"): clone(tmp_path, "bob", s3).artifacts for n in range(4)}
    in_parallel(lambda out: bobs[out].check_out(tree.digest, out), list(bobs), threads=4)
    for out in bobs:
        assert read(out) == {"large": LARGE[: 40 * MIB]}
    assert os.listdir(tmp_path / "bob/.mlplan/cache/artifacts/begun") == []


def test_what_an_unfinished_upload_left_is_removed(carried: tuple[str, Proxy], added: int, tmp_path: Path) -> None:
    place, proxy = carried
    ann = clone(tmp_path, "ann", place)
    assert isinstance(ann.artifacts, SharedArtifacts)
    kept = ann.artifacts.put_folder(make(tmp_path / "kept", {"large": LARGE[: 20 * MIB]}))
    proxy.only, proxy.faults = "PUT", [""] * 12 + ["403 AccessDenied"] * 100
    with pytest.raises(Refusal, match="MLP4402"):
        ann.artifacts.put_folder(make(tmp_path / "in", {"large": LARGE}))
    proxy.faults = []
    garbage = ann.artifacts.garbage([kept.digest])
    assert len(garbage.digests) == 1
    assert garbage.size == len(parts(proxy)) * 4 * MIB
    ann.artifacts.remove(garbage)
    assert ann.artifacts.garbage([kept.digest]).size == 0
    assert ann.artifacts.problems(kept.digest, deep=True) == ()
    ann.artifacts.remove(ann.artifacts.garbage([]))
    assert ann.store.sizes("artifacts") == {}


MANIFEST = PROJECT.partition("run:")[0]


def apply_killed_after(parts_sent: int, proxy: Proxy, folder: Path) -> None:
    """Starts an apply, and kills it as soon as the server got so many parts."""
    words = [sys.executable, "-m", "mlplan", "-C", str(folder), "apply", "-y"]
    apply = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while len(parts(proxy)) < parts_sent:
        assert apply.poll() is None, apply.communicate()[1]
        time.sleep(0.001)
    apply.kill()
    apply.communicate()


def until_quiet(proxy: Proxy) -> None:
    """Waits until what was under way to the server has arrived there."""
    while proxy.at_work:
        time.sleep(0.01)


def test_an_apply_that_was_killed_goes_on_with_what_is_missing(
    carried: tuple[str, Proxy], added: int, tmp_path: Path
) -> None:
    place, proxy = carried
    proxy.delay_s = 0.02
    for name in ("ann", "bob"):
        make(tmp_path / name, {"mlplan.yaml": MANIFEST.replace("PLACE", place).encode(), "data/large": LARGE})
    apply_killed_after(5, proxy, tmp_path / "ann")
    until_quiet(proxy)
    first = parts(proxy)
    proxy.carried = []
    done(tmp_path / "ann", "apply", "-y")
    second = parts(proxy)
    assert 5 <= len(first) < 25
    assert len(first) + len(second) == 25
    assert sum(size for _, size in first + second) == 100 * MIB + added
    in_step(tmp_path / "ann")
    in_step(tmp_path / "bob")


def test_a_large_file_is_moved_from_place_to_place(carried: tuple[str, Proxy], added: int, tmp_path: Path) -> None:
    place, proxy = carried
    ann = tmp_path / "ann"
    make(ann, {"mlplan.yaml": MANIFEST.replace("PLACE", ".mlplan").encode(), "data/large": LARGE})
    done(ann, "apply", "-y")
    proxy.only, proxy.faults = "PUT", [""] * 12 + ["403 AccessDenied"] * 100
    with pytest.raises(AssertionError, match="MLP4402"):
        done(ann, "workspace", "migrate", place, "-y")
    first = len(parts(proxy))
    proxy.faults = []
    done(ann, "workspace", "migrate", place, "-y")
    assert len(parts(proxy)) == 25 > first > 0
    make(ann, {"mlplan.yaml": MANIFEST.replace("PLACE", place).encode()})
    in_step(ann)
    done(ann, "workspace", "export", str(tmp_path / "archive.zip"))
    bob = tmp_path / "bob"
    make(bob, {"mlplan.yaml": MANIFEST.replace("PLACE", "shared").encode(), "data/large": LARGE})
    done(bob, "workspace", "import", str(tmp_path / "archive.zip"))
    in_step(bob)
