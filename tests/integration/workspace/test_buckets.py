"""A workspace in a bucket, over servers of the real protocols: shared, cheap to ask, safe on a bad network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import obstore
import pytest
from object_stores import Proxy, azure, azure_server, google, proxy, s3, s3_server

from mlplan.address import Address
from mlplan.errors import ExitCode, Refusal
from mlplan.state.entries import Versioned
from mlplan.workspace.bucket import open_bucket
from mlplan.workspace.open import Workspace, open_workspace
from mlplan.workspace.shared_artifacts import SharedArtifacts

__all__ = ["azure", "azure_server", "google", "proxy", "s3", "s3_server"]

pytestmark = pytest.mark.buckets

MODEL = Address("model", "m")
FILES = {"a.txt": b"one", "sub/b.txt": b"two", "big.bin": os.urandom(12_000_000)}


@pytest.fixture(params=["s3", "azure", "google"])
def place(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


def clone(tmp_path: Path, name: str, place: str) -> Workspace:
    (tmp_path / name).mkdir(exist_ok=True)
    return open_workspace(str(tmp_path / name), place, "p")


def make(folder: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def read(folder: str) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def record(workspace: Workspace, number: int, digest: str = "d") -> None:
    with workspace.lease.held(command="mlplan apply") as state:
        workspace.log.append(state, [Versioned(MODEL, number, digest, {})], command="mlplan apply")


def test_two_clones_share_one_state_and_its_artifacts(place: str, tmp_path: Path) -> None:
    ann, bob = clone(tmp_path, "ann", place), clone(tmp_path, "bob", place)
    tree = ann.artifacts.put_folder(make(tmp_path / "in", FILES))
    record(ann, 1, tree.digest)
    state = bob.log.read()
    assert [version.digest for version in state.versions[MODEL]] == [tree.digest]
    assert bob.artifacts.tree(tree.digest).files == tree.files
    assert read(bob.artifacts.view(tree.digest)) == FILES
    assert bob.artifacts.read_bytes(tree.digest, "a.txt") == b"one"
    record(bob, 2)
    assert [version.number for version in ann.log.read().versions[MODEL]] == [1, 2]
    assert [commit.serial for commit in ann.log.commits()] == [1, 2, 3, 4, 5, 6]


def test_while_one_works_another_is_told_so(place: str, tmp_path: Path) -> None:
    ann, bob = clone(tmp_path, "ann", place), clone(tmp_path, "bob", place)
    with ann.lease.held(command="mlplan apply"):
        with pytest.raises(Refusal) as refused:
            bob.lease.take(command="mlplan apply")
        assert refused.value.exit_code is ExitCode.BUSY
    record(bob, 1)


def test_ages_are_told_by_the_server(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = clone(tmp_path, "ann", place), clone(tmp_path, "bob", place)
    with ann.lease.held(command="mlplan apply"):
        monkeypatch.setattr(time, "time", lambda: 0.0)
        holder = bob.lease.holder()
        assert holder is not None
        assert holder.age_s < 30


def test_a_subtree_of_what_only_the_bucket_has(place: str, tmp_path: Path) -> None:
    many = {f"outputs/{n}": b"%d" % n for n in range(600)} | {"outputs/model.pkl": b"m" * 100_000}
    tree = clone(tmp_path, "ann", place).artifacts.put_folder(make(tmp_path / "in", many))
    bob = clone(tmp_path, "bob", place).artifacts
    model = bob.subtree(tree.digest, "outputs/model.pkl")
    small = bob.subtree(tree.digest, "outputs/7")
    assert model is not None
    assert small is not None
    carol = clone(tmp_path, "carol", place).artifacts
    assert read(carol.view(model.digest)) == {"model.pkl": b"m" * 100_000}
    assert read(carol.view(small.digest)) == {"7": b"7"}
    assert read(carol.view(tree.digest)) == many
    assert carol.problems(tree.digest, deep=True) == ()


def test_what_no_tree_needs_is_removed(place: str, tmp_path: Path) -> None:
    ann = clone(tmp_path, "ann", place).artifacts
    many = {f"{n}": b"%d" % n for n in range(600)}
    old = ann.put_folder(make(tmp_path / "old", {**many, "shared": b"s" * 70_000, "lone": b"l" * 70_000}))
    new = ann.put_folder(make(tmp_path / "new", {"shared": b"s" * 70_000}))
    garbage = ann.garbage([new.digest])
    assert old.digest in garbage.digests
    ann.remove(garbage)
    bob = clone(tmp_path, "bob", place).artifacts
    assert read(bob.view(new.digest)) == {"shared": b"s" * 70_000}
    with pytest.raises(Refusal, match="MLP4201"):
        bob.view(old.digest)
    assert bob.garbage([new.digest]).digests == ()


def test_what_a_removal_that_was_cut_off_took_is_sent_again(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    files = {f"{n}": bytes([n]) * 70_000 for n in range(20)}
    ann = clone(tmp_path, "ann", s3).artifacts
    tree = ann.put_folder(make(tmp_path / "in", files))
    for number in range(1, 22):
        proxy.only, proxy.faults = "DELETE", [""] * number + ["403 AccessDenied"] * 100
        with pytest.raises(Refusal, match="MLP4402"):
            ann.remove(ann.garbage([]))
        proxy.faults = []
        assert ann.put_folder(str(tmp_path / "in")).digest == tree.digest
        assert ann.problems(tree.digest, deep=True) == ()
    assert read(clone(tmp_path, "bob", s3).artifacts.view(tree.digest)) == files


def test_who_may_only_read_sees_who_holds_it(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    with clone(tmp_path, "ann", s3).lease.held(command="mlplan apply"):
        proxy.only, proxy.faults = "PUT", ["403 AccessDenied"] * 100
        holder = clone(tmp_path, "bob", s3).lease.holder()
        proxy.faults = []
    assert holder is not None
    assert "`mlplan apply`" in holder.description
    assert holder.age_s < 60


def test_two_that_create_at_the_same_moment_are_told_apart(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    ann = clone(tmp_path, "ann", s3)
    with ann.lease.held(command="mlplan apply") as state:
        proxy.only, proxy.faults = "PUT", ["409 ConditionalRequestConflict"] * 2  # S3's word for: ask again
        ann.log.append(state, [Versioned(MODEL, 1, "d", {})], command="mlplan apply")
    assert len(clone(tmp_path, "bob", s3).log.read().versions[MODEL]) == 1


@pytest.mark.parametrize("commits", [1, 60])
def test_a_plan_with_nothing_to_do_makes_three_requests(proxy: Proxy, s3: str, tmp_path: Path, commits: int) -> None:
    ann = clone(tmp_path, "ann", s3)
    tree = ann.artifacts.put_folder(make(tmp_path / "in", FILES))
    with ann.lease.held(command="mlplan apply") as state:
        for number in range(1, commits + 1):
            state = ann.log.append(state, [Versioned(MODEL, number, tree.digest, {})], command="mlplan apply")
    proxy.requests.clear()
    bob = clone(tmp_path, "bob", s3)
    assert bob.log.read().serial == commits + 2
    assert bob.artifacts.problems(tree.digest) == ()
    assert len(proxy.requests) == 3


def test_on_azure_a_plan_lists_nothing_however_long_the_log_is(
    azure: str, azure_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy(azure_server)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", proxy.address)
    ann = clone(tmp_path, "ann", azure)
    record(ann, 1)
    proxy.requests.clear()
    assert clone(tmp_path, "bob", azure).log.read().serial == 3
    assert len(proxy.requests) == 3
    assert not any("comp=list" in path for _, path in proxy.requests)

    with ann.lease.held(command="mlplan apply") as state:  # two commits that no checkpoint knows
        ann.log.append(state, [Versioned(MODEL, 2, "d", {})], command="mlplan apply")
        assert clone(tmp_path, "carol", azure).log.read().serial == 5
        open_bucket(azure).delete("log/00000000000000000004.json")
        with pytest.raises(Refusal, match="MLP4002"):
            clone(tmp_path, "dora", azure).lease.take(command="mlplan apply")
    proxy.close()


def test_the_command_plan_makes_three_requests(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    files = {"mlplan.yaml": PROJECT.replace("PLACE", s3), "code/sum.py": SCRIPT, "data/one.txt": "1"}
    for name in ("ann", "bob"):
        make(tmp_path / name, {path: text.encode() for path, text in files.items()})
    assert command(tmp_path / "ann", "apply", "-y").returncode == 0
    for name in ("ann", "bob"):
        proxy.requests.clear()
        assert command(tmp_path / name, "plan", "--detailed-exitcode").returncode == 0
        assert [method for method, _ in proxy.requests] == ["GET"] * 3


def test_what_is_there_is_not_sent_again(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    clone(tmp_path, "ann", s3).artifacts.put_folder(make(tmp_path / "in", FILES))
    proxy.requests.clear()
    clone(tmp_path, "bob", s3).artifacts.put_folder(str(tmp_path / "in"))
    assert [method for method, _ in proxy.requests] == ["HEAD"]
    make(tmp_path / "in", {"new": b"new"})
    proxy.requests.clear()
    clone(tmp_path, "bob", s3).artifacts.put_folder(str(tmp_path / "in"))
    assert [method for method, _ in proxy.requests].count("PUT") == 3  # the new file, the listing, the note


def test_what_is_sent_is_told_as_it_goes(place: str, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ann = clone(tmp_path, "ann", place).artifacts
    ann.put_folder(make(tmp_path / "in", FILES), on_sent=lambda done, total: told.append((done, total)))
    assert told[-1] == (12_000_006, 12_000_006)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(told) == 3


def test_many_small_files_take_few_requests(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    many = {f"{n}": b"%d" % n for n in range(2000)}
    tree = clone(tmp_path, "ann", s3).artifacts.put_folder(make(tmp_path / "in", many))
    sent = len(proxy.requests)
    assert read(clone(tmp_path, "bob", s3).artifacts.view(tree.digest)) == many
    assert sent <= 6
    assert len(proxy.requests) - sent <= 4


def test_what_is_here_is_not_fetched_again(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    tree = clone(tmp_path, "ann", s3).artifacts.put_folder(make(tmp_path / "in", FILES))
    clone(tmp_path, "bob", s3).artifacts.view(tree.digest)
    proxy.requests.clear()
    bob = clone(tmp_path, "bob", s3).artifacts
    bob.view(tree.digest)
    bob.tree(tree.digest)
    assert proxy.requests == []


def test_an_interrupted_upload_goes_on_where_it_was(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    files = {f"{n}": bytes([n]) * 100_000 for n in range(20)}
    ann = clone(tmp_path, "ann", s3).artifacts
    proxy.only, proxy.faults = "PUT", [""] * 8 + ["403 AccessDenied"] * 100
    with pytest.raises(Refusal, match="MLP4402"):
        ann.put_folder(make(tmp_path / "in", files))
    bob = clone(tmp_path, "bob", s3).artifacts
    proxy.faults, proxy.requests = [], []
    tree = clone(tmp_path, "ann", s3).artifacts.put_folder(str(tmp_path / "in"))
    assert [method for method, _ in proxy.requests].count("PUT") == 14
    assert read(bob.view(tree.digest)) == files


@pytest.mark.parametrize(
    "fault", ["500", "503 SlowDown", "429", "cut", "cut in its middle", "lost answer", "half an answer"]
)
@pytest.mark.parametrize("times", [1, 3])
def test_what_passes_is_tried_again(proxy: Proxy, s3: str, tmp_path: Path, fault: str, times: int) -> None:
    ann = clone(tmp_path, "ann", s3)
    for method in ("GET", "PUT", "HEAD"):
        proxy.only, proxy.faults = method, [fault] * times
        tree = ann.artifacts.put_folder(make(tmp_path / method, {**FILES, "other": method.encode()}))
        record(ann, len(list(ann.log.commits())) + 1, tree.digest)
        assert proxy.faults == []
    bob = clone(tmp_path, "bob", s3)
    state = bob.log.read()
    assert state.serial == 9
    assert len(state.versions[MODEL]) == 3
    for version in state.versions[MODEL]:
        assert bob.artifacts.problems(version.digest, deep=True) == ()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("403 AccessDenied", "MLP4402"),
        ("403 InvalidAccessKeyId", "MLP4402"),
        ("403 RequestTimeTooSkewed", "MLP4403"),
        ("403 RequestExpired", "MLP4403"),
        ("400 AuthorizationHeaderMalformed", "MLP4404"),
        ("301 redirect", "MLP4404"),
        ("404 NoSuchBucket", "MLP4401"),
    ],
)
def test_what_does_not_pass_is_told(proxy: Proxy, s3: str, tmp_path: Path, fault: str, code: str) -> None:
    proxy.faults = [fault] * 10
    with pytest.raises(Refusal) as refused:
        clone(tmp_path, "ann", s3).log.read()
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == code
    assert fault.partition(" ")[2] in diagnostic.detail
    assert diagnostic.hint


def test_a_missing_bucket_is_no_empty_workspace(place: str, tmp_path: Path) -> None:
    scheme, _, rest = place.partition("://")
    workspace = clone(tmp_path, "ann", f"{scheme}://not-{rest}")
    with pytest.raises(Refusal, match="MLP4401"):
        workspace.log.read()


def test_wrong_keys_are_told_without_being_told(azure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0LWtleQ==")
    with pytest.raises(Refusal) as refused:
        clone(tmp_path, "ann", azure).log.read()
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "MLP4402"
    assert "c2VjcmV0" not in str(diagnostic)


def test_a_server_that_is_not_there_is_told(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlplan.workspace.bucket.TRIES", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Refusal, match="MLP4405"):
        clone(tmp_path, "ann", s3).log.read()


def test_a_server_that_falls_silent_is_asked_again(
    proxy: Proxy, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlplan.workspace.bucket.TIMEOUT_S", 1.0)
    ann = clone(tmp_path, "ann", s3)
    record(ann, 1)
    for method in ("GET", "PUT"):
        proxy.only, proxy.faults = method, ["silence"]
        record(ann, len(list(ann.log.commits())))
        assert proxy.faults == []
    assert clone(tmp_path, "bob", s3).log.read().serial == 9


def test_a_holder_cut_off_by_silence_stops_before_its_lease_can_be_taken(
    proxy: Proxy, s3: str, tmp_path: Path
) -> None:
    ann = clone(tmp_path, "ann", s3)
    ann.lease._pace = ann.lease._pace._replace(beat_s=0.2, expiry_s=4.0)
    lost = threading.Event()
    state = ann.lease.take(command="mlplan apply", on_lost=lost.set)
    proxy.faults = ["silence"] * 1000
    begun = time.monotonic()
    assert lost.wait(60)
    with pytest.raises(Refusal, match="MLP4102"):
        ann.lease.ensure()
    assert time.monotonic() - begun < 60
    ann.lease.release()
    proxy.faults = []
    proxy.silence.set()
    bob = clone(tmp_path, "bob", s3)
    holder = bob.lease.holder()
    assert holder is not None
    bob.lease.break_(holder, command="mlplan unlock")
    record(bob, 1)
    with pytest.raises(Refusal, match="MLP4102"):
        ann.log.append(state, [Versioned(MODEL, 2, "d", {})], command="mlplan apply")


def test_a_commit_whose_answer_is_lost_is_known_as_ones_own(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    ann = clone(tmp_path, "ann", s3)
    with ann.lease.held(command="mlplan apply") as state:
        for number in range(1, 4):
            proxy.only, proxy.faults = "PUT", ["lost answer"] * number
            state = ann.log.append(state, [Versioned(MODEL, number, "d", {})], command="mlplan apply")
    numbers = [version.number for version in clone(tmp_path, "bob", s3).log.read().versions[MODEL]]
    assert numbers == [1, 2, 3]
    assert [commit.serial for commit in ann.log.commits()] == [1, 2, 3, 4, 5]


def test_an_upload_cut_in_any_part_is_never_read_as_whole(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    ann = clone(tmp_path, "ann", s3).artifacts
    large = {"large": os.urandom(23_000_000)}
    make(tmp_path / "in", large)
    for uploads in range(3):
        proxy.only, proxy.faults = "PUT", [""] * uploads + ["403 AccessDenied"] * 100
        with pytest.raises(Refusal, match="MLP4402"):
            ann.put_folder(str(tmp_path / "in"))
        assert open_bucket(s3).sizes("artifacts") == {}
    proxy.faults = ["", "cut in its middle", "500", "lost answer"]
    tree = ann.put_folder(str(tmp_path / "in"))
    assert read(clone(tmp_path, "bob", s3).artifacts.view(tree.digest)) == large


def test_damage_in_the_bucket_is_noticed(place: str, tmp_path: Path) -> None:
    tree = clone(tmp_path, "ann", place).artifacts.put_folder(make(tmp_path / "in", {"a": b"one"}))
    store = open_bucket(place)
    digest = tree.files[0].sha256
    store.replace(f"artifacts/{digest[:2]}/{digest[2:]}", b"eno")
    with pytest.raises(Refusal, match="MLP4202"):
        clone(tmp_path, "bob", place).artifacts.view(tree.digest)
    store.delete(f"artifacts/{digest[:2]}/{digest[2:]}")
    carol = clone(tmp_path, "carol", place).artifacts
    with pytest.raises(Refusal, match="MLP4201"):
        carol.view(tree.digest)
    assert carol.problems(tree.digest, deep=True) == ("a",)


def test_the_copy_is_bounded_and_keeps_what_is_in_use(s3: str, tmp_path: Path) -> None:
    store, workspace = open_bucket(s3), clone(tmp_path, "ann", s3)
    assert isinstance(workspace.artifacts, SharedArtifacts)
    small = SharedArtifacts(store, workspace.artifacts._copy, limit=250_000)
    trees = [small.put_folder(make(tmp_path / f"{n}", {"x": bytes([n]) * 100_000})) for n in range(5)]
    kept = sum(path.stat().st_size for path in (tmp_path / "ann" / ".mlplan" / "cache" / "artifacts").rglob("*"))
    assert kept < 300_000
    for n, tree in enumerate(trees):
        assert read(small.view(tree.digest)) == {"x": bytes([n]) * 100_000}


def test_keys_are_found_in_the_files_of_the_cloud_s_own_tools(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[team]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    (tmp_path / "config").write_text("[profile team]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_PROFILE", "team")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    record(clone(tmp_path, "ann", s3), 1)
    assert clone(tmp_path, "bob", s3).log.read().serial == 3


def test_nothing_of_the_clients_keys_is_in_the_bucket(s3: str, tmp_path: Path) -> None:
    record(clone(tmp_path, "ann", s3), 1)
    store = open_bucket(s3)
    everything = b"".join(
        obstore.get(store._remote, entry["path"]).bytes().to_bytes()
        for page in obstore.list(store._remote)
        for entry in page
    )
    assert b"mlplan apply" in everything
    assert b"secret" not in everything


PROJECT = """\
version: 1
project: shared
workspace: PLACE
compute:
  here: {type: local}
dataset:
  numbers: {source: [data]}
run:
  sum:
    compute: here
    source: code
    script: sum.py
    arguments: [--data, "${{ dataset.numbers.path }}"]
model:
  total: {run: sum, path: outputs/total.txt}
"""
SCRIPT = """\
import pathlib, sys
total = sum(int(p.read_text()) for p in pathlib.Path(sys.argv[2]).rglob("*.txt"))
pathlib.Path("outputs/total.txt").write_text(str(total))
"""


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlplan", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )


def test_two_clones_of_a_project_apply_one_after_the_other(place: str, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        make(
            tmp_path / name,
            {
                "mlplan.yaml": PROJECT.replace("PLACE", place).encode(),
                "code/sum.py": SCRIPT.encode(),
                "data/one.txt": b"1",
                "data/two.txt": b"2",
            },
        )
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    applied = command(ann, "apply", "-y")
    assert applied.returncode == 0, applied.stderr
    planned = command(bob, "plan", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    make(bob, {"data/three.txt": b"3"})
    assert command(bob, "plan", "--detailed-exitcode").returncode == 2
    applied = command(bob, "apply", "-y")
    assert applied.returncode == 0, applied.stderr
    back = command(ann, "plan", "--detailed-exitcode")
    assert back.returncode == 2
    assert "three.txt" in back.stdout
    make(ann, {"data/three.txt": b"3"})
    assert command(ann, "plan", "--detailed-exitcode").returncode == 0
    downloaded = command(ann, "model", "download", "total:2", "-t", str(tmp_path / "model"))
    assert downloaded.returncode == 0, downloaded.stderr
    assert list(read(str(tmp_path / "model")).values()) == [b"6"]


def test_two_clones_that_apply_at_once_work_one_after_the_other(place: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = f"import time; time.sleep(1); open({str(ran)!r}, 'a').write('ran\\n')\n{SCRIPT}"
    words = [sys.executable, "-m", "mlplan", "apply", "-y", "--lock-timeout", "2m"]
    applies = []
    for name in ("ann", "bob"):
        files = {"mlplan.yaml": PROJECT.replace("PLACE", place), "code/sum.py": script, "data/one.txt": "1"}
        make(tmp_path / name, {path: text.encode() for path, text in files.items()})
        applies.append(
            subprocess.Popen(words, cwd=tmp_path / name, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        )
    said = [apply.communicate(timeout=120)[1] for apply in applies]
    assert [apply.returncode for apply in applies] == [0, 0], said
    assert ran.read_text() == "ran\n"
    for name in ("ann", "bob"):
        assert command(tmp_path / name, "plan", "--detailed-exitcode").returncode == 0


QUICK = """
import sys
from mlplan.cli.main import main
from mlplan.workspace import open as opened
opened.BUCKET_PACE = opened.BUCKET_PACE._replace(beat_s=0.2, expiry_s=3.0)
sys.exit(main(sys.argv[1:]))
"""
"""mlplan, with a lease that lasts three seconds."""


def test_a_training_outlives_the_lease_it_was_started_under(proxy: Proxy, s3: str, tmp_path: Path) -> None:
    ran, go_on, ann = tmp_path / "ran", tmp_path / "go-on", tmp_path / "ann"
    waits = f"import os, time\nopen({str(ran)!r}, 'a').write('ran\\n')\n"
    waits += f"while not os.path.exists({str(go_on)!r}): time.sleep(0.05)\n"
    files = {"mlplan.yaml": PROJECT.replace("PLACE", s3), "code/sum.py": waits + SCRIPT, "data/one.txt": "1"}
    make(ann, {path: text.encode() for path, text in files.items()})
    words = [sys.executable, "-c", QUICK, "-C", str(ann), "apply", "-y"]
    apply = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not ran.exists():
        assert apply.poll() is None, apply.communicate()[1]
        time.sleep(0.05)
    proxy.faults = ["silence"] * 1000
    _, said = apply.communicate(timeout=120)
    proxy.faults = []
    proxy.silence.set()
    assert apply.returncode == 6, said
    assert re.search(r"run\.sum \(sum-\w+-1\) goes on by itself", said), said
    assert "MLP4102" in said
    assert "failed" not in said
    go_on.touch()
    applied = command(ann, "apply", "-y", "--lock-timeout", "2m")
    assert applied.returncode == 0, applied.stderr
    assert ran.read_text() == "ran\n"
    assert command(ann, "plan", "--detailed-exitcode").returncode == 0


@pytest.mark.parametrize("seconds", ["86400", "-86400"])
def test_a_command_whose_clock_is_wrong_by_a_day_takes_no_lease(s3: str, tmp_path: Path, seconds: str) -> None:
    manifest = f"version: 1\nproject: p\nworkspace: {s3}\ncompute: {{here: {{type: local}}}}\n"
    make(tmp_path / "bob", {"mlplan.yaml": manifest.encode()})
    program = [sys.executable, str(Path(__file__).parents[2] / "faults" / "clock.py"), seconds, "--"]
    with clone(tmp_path, "ann", s3).lease.held(command="mlplan apply"):
        refused = subprocess.run(
            [*program, "apply", "-y"], cwd=tmp_path / "bob", capture_output=True, text=True, check=False
        )
    assert refused.returncode == 6, refused.stderr
    assert re.search(r"showed\s+life\s+\d\d?\s+s\s+ago", refused.stderr)
    applied = subprocess.run(
        [*program, "apply", "-y"], cwd=tmp_path / "bob", capture_output=True, text=True, check=False
    )
    assert applied.returncode == 0, applied.stderr
