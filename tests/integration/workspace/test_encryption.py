"""A bucket that tells nothing: what mlplan sends there is encrypted, names too, where a key is provided."""

from __future__ import annotations

import base64
import json
import os
from hashlib import sha256
from pathlib import Path

import obstore
import pytest
from object_stores import Proxy, azure, azure_server, carried, proxy, s3, s3_server

from mlplan.errors import Refusal
from mlplan.workspace.bucket import BucketStore, open_bucket

from .test_buckets import PROJECT, clone, command, make, read
from .test_moving import done, in_step, project

__all__ = ["azure", "azure_server", "carried", "proxy", "s3", "s3_server"]

pytestmark = pytest.mark.buckets


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The user's key, provided."""
    made = new_key()
    monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", made)
    return made


def everything(bucket: BucketStore) -> dict[str, bytes]:
    """All objects of a bucket, as a thief finds them."""
    entries = [entry for page in obstore.list(bucket._remote) for entry in page]
    return {entry["path"]: obstore.get(bucket._remote, entry["path"]).bytes().to_bytes() for entry in entries}


SCRIPT = "import pathlib; pathlib.Path('outputs/total.txt').write_text('a-known-result')\n"
DATA = "a-customers-name,42\n" * 5000


@pytest.mark.parametrize("cloud", ["s3", "azure"])
def test_a_leaked_bucket_tells_nothing(
    cloud: str, request: pytest.FixtureRequest, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, folders = request.getfixturevalue(cloud), (tmp_path / "ann", tmp_path / "bob")
    for folder in folders:
        files = {"mlplan.yaml": PROJECT.replace("PLACE", place), "code/sum.py": SCRIPT, "data/customers.txt": DATA}
        files |= {f"data/many/{n}.txt": f"record-number-{n}" for n in range(600)}
        make(folder, {name: text.encode() for name, text in files.items()})
    ann, bob = folders
    done(ann, "apply", "-y")
    in_step(ann)
    in_step(bob)
    done(bob, "model", "download", "total:1", "-t", str(tmp_path / "model"))
    assert read(str(tmp_path / "model")) == {"total.txt": b"a-known-result"}

    found = everything(open_bucket(place))
    assert {name.partition("/")[0] for name in found} == {"artifacts", "checkpoint.json", "key.json", "log", "packs"}
    leaked = b"\n".join(name.encode() + b"\n" + data for name, data in found.items())
    told = [
        "a-customers-name", "a-known-result", "record-number", "customers.txt", "total", "sum.py", "outputs",
        "shared", "numbers", "mlplan apply", "lease-taken", "sha256", '"holder"', key, key[:20],
        sha256(DATA.encode()).hexdigest()[:16], sha256(SCRIPT.encode()).hexdigest()[2:18],
    ]  # fmt: skip
    assert [text for text in told if text.encode() in leaked] == []
    assert "encrypted  by mlplan" in done(ann, "workspace", "show")

    for provided, code in (("", "MLP4406"), (new_key(), "MLP4407")):
        monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", provided)
        refused = command(bob, "plan")
        assert refused.returncode == 1
        assert code in refused.stderr
        assert key not in refused.stderr


def test_a_key_takes_the_place_of_another(s3: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, new = project(tmp_path / "ann", s3), project(tmp_path / "bob", s3), new_key()
    done(ann, "apply", "-y")
    in_step(bob)
    monkeypatch.setenv("MLPLAN_WORKSPACE_NEW_KEY", new)
    done(ann, "workspace", "rotate-key")
    assert "MLP4407" in command(project(tmp_path / "carol", s3), "plan").stderr
    monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", new)
    monkeypatch.delenv("MLPLAN_WORKSPACE_NEW_KEY")
    for folder in (ann, bob, tmp_path / "carol"):
        in_step(folder)
    assert "MLP4409" in command(ann, "workspace", "rotate-key").stderr


def test_what_began_without_a_key_is_not_taken_for_encrypted(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, file = project(tmp_path / "ann", s3), str(tmp_path / "everything.zip")
    done(ann, "apply", "-y")
    done(ann, "workspace", "export", file)
    monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", new_key())
    assert "MLP4408" in command(ann, "apply", "-y").stderr
    project(ann, f"{s3}-sealed")
    done(ann, "workspace", "import", file)
    in_step(ann)
    assert all(b"total" not in data for name, data in everything(open_bucket(f"{s3}-sealed")).items())
    assert f"{file} isn't encrypted" in command(ann, "workspace", "export", file).stderr


def test_a_workspace_is_moved_into_encryption_and_out_of_it(s3: str, key: str, tmp_path: Path) -> None:
    ann = project(tmp_path / "ann")
    done(ann, "apply", "-y")
    done(ann, "workspace", "migrate", s3, "-y")
    assert b"total" not in b"".join(everything(open_bucket(s3)).values())
    in_step(project(ann, s3))
    done(ann, "workspace", "migrate", f"{s3}-anew", "-y")
    assert json.loads(done(ann, "workspace", "show", "--format", "json"))["moved"] == f"{s3}-anew"
    in_step(project(ann, f"{s3}-anew"))
    done(ann, "workspace", "migrate", "../shared", "-y")
    in_step(project(ann, "../shared"))


def test_damage_and_swapped_objects_are_noticed(s3: str, key: str, tmp_path: Path) -> None:
    ann = clone(tmp_path, "ann", s3).artifacts
    trees = [ann.put_folder(make(tmp_path / name, {"x": name.encode() * 9})) for name in ("one", "two")]
    bucket = open_bucket(s3)
    names = sorted(name for name, size in bucket.sizes("artifacts").items() if size < 100)
    assert len(names) == 2
    first, second = (everything(bucket)[f"artifacts/{name}"] for name in names)
    bucket.replace(f"artifacts/{names[0]}", second)
    bucket.replace(f"artifacts/{names[1]}", first)
    for tree in trees:
        with pytest.raises(Refusal, match="MLP4202"):
            clone(tmp_path, "bob", s3).artifacts.view(tree.digest)


@pytest.mark.parametrize("rotated", [False, True])
def test_a_plan_makes_three_requests_on_every_machine(
    carried: tuple[str, Proxy], key: str, tmp_path: Path, rotated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, proxy = carried
    ann, bob = project(tmp_path / "ann", place), project(tmp_path / "bob", place)
    done(ann, "apply", "-y")
    if rotated:
        new = new_key()
        monkeypatch.setenv("MLPLAN_WORKSPACE_NEW_KEY", new)
        done(ann, "workspace", "rotate-key")
        monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", new)
    for folder in (ann, bob, bob):
        proxy.requests.clear()
        in_step(folder)
        assert [method for method, _ in proxy.requests] == ["GET"] * 3


def test_a_key_opens_no_more_once_another_took_its_place(
    proxy: Proxy, s3: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob, new = project(tmp_path / "ann", s3), project(tmp_path / "bob", s3), new_key()
    done(ann, "apply", "-y")
    in_step(bob)
    monkeypatch.setenv("MLPLAN_WORKSPACE_NEW_KEY", new)
    proxy.only, proxy.faults = "PUT", ["", "", "", "403 AccessDenied"]  # the checkpoint has it, key.json not yet
    assert "MLP4402" in command(ann, "workspace", "rotate-key").stderr
    done(ann, "workspace", "rotate-key")
    assert "MLP4407" in command(bob, "plan").stderr
    monkeypatch.setenv("MLPLAN_WORKSPACE_KEY", new)
    in_step(bob)


def test_a_damaged_checkpoint_costs_requests_and_nothing_else(s3: str, key: str, tmp_path: Path) -> None:
    ann, bucket = project(tmp_path / "ann", s3), open_bucket(s3)
    done(ann, "apply", "-y")
    checkpoint = bucket.read("checkpoint.json") or b""
    for damaged in (b"", b"x", checkpoint[:-1], checkpoint[1:], checkpoint.rpartition(b"\n")[0]):
        bucket.replace("checkpoint.json", damaged)
        in_step(ann)
    bucket.delete("checkpoint.json")
    in_step(ann)
