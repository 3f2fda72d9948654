"""Credentials of a cloud are used, and stand nowhere afterwards: in no file, no object, no message, no job."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from object_stores import KEY, Proxy, azure, azure_server, s3, s3_server

from mlplan.workspace.bucket import open_bucket

from .test_buckets import PROJECT, command, make
from .test_encryption import everything

__all__ = ["azure", "azure_server", "s3", "s3_server"]

pytestmark = pytest.mark.buckets

S3 = {
    "AWS_ACCESS_KEY_ID": "AKIAHUSHHUSHHUSHHUSH",
    "AWS_SECRET_ACCESS_KEY": "a-secret-access-key/that+nobody-may-see",
    "AWS_SESSION_TOKEN": "a-session-token-that-nobody-may-see",
}
SCRIPT = "import os, pathlib\npathlib.Path('outputs/total.txt').write_text(repr(os.environ))\nprint(os.environ)\n"


@pytest.fixture(params=["s3", "azure"])
def carried(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[str], Proxy]]:
    """A place, what is secret about reaching it, and the proxy on the way."""
    place = request.getfixturevalue(request.param)
    proxy = Proxy(request.getfixturevalue(f"{request.param}_server"))
    monkeypatch.setenv("AWS_ENDPOINT_URL" if request.param == "s3" else "AZURE_STORAGE_ENDPOINT", proxy.address)
    for name, value in S3.items() if request.param == "s3" else ():
        monkeypatch.setenv(name, value)
    yield place, list(S3.values()) if request.param == "s3" else [KEY, base64.b64decode(KEY).decode()], proxy
    proxy.close()


def test_credentials_stand_nowhere(carried: tuple[str, list[str], Proxy], tmp_path: Path) -> None:
    place, secrets, proxy = carried
    ann, said = tmp_path / "ann", ""
    files = {"mlplan.yaml": PROJECT.replace("PLACE", place), "code/sum.py": SCRIPT, "data/one.txt": "1"}
    make(ann, {name: text.encode() for name, text in files.items()})

    def tell(*words: str, code: int = 0) -> None:
        nonlocal said
        ended = command(ann, *words)
        said += ended.stdout + ended.stderr
        assert ended.returncode == code, ended.stderr

    tell("apply", "-y", "--format", "json")
    for words in (["plan", "--format", "json"], ["show"], ["history"], ["workspace", "show"], ["run", "logs", "sum"]):
        tell(*words)
    tell("plan", "--out", str(ann / "plan.file"))
    tell("workspace", "export", str(ann / "archive.zip"))
    for fault in ("403 AccessDenied", "403 RequestTimeTooSkewed", "400 InvalidArgument", "404 NoSuchBucket"):
        proxy.faults = [fault] * 100
        tell("plan", code=1)
        proxy.faults = []

    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    for text in secrets:
        assert text not in said
        assert text.encode() not in on_disk
        assert text.encode() not in b"".join(everything(open_bucket(place)).values())
