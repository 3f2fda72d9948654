"""The S3 policy in docs/workspaces.md, in force on a server that checks signatures and permissions: it is enough, and
not more than that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has none
import moto.settings
import pytest
from moto.core.authorization import ActionAuthenticatorMixin
from object_stores import s3, s3_server

from mlplan.workspace.bucket import open_bucket

from .test_buckets import command, make
from .test_moving import done, in_step, project

__all__ = ["s3", "s3_server"]

pytestmark = pytest.mark.buckets

DOCS = Path(__file__).parents[3] / "docs" / "workspaces.md"
Become = Callable[[str, list[Any]], None]


@pytest.fixture
def become(s3_server: str, s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Become]:
    """Makes this process a user of that name who may do what the statements allow."""
    iam = boto3.client(
        "iam", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )

    def permissions_count(count: float) -> None:
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = count
        ActionAuthenticatorMixin.request_count = 0

    def be(name: str, statements: list[Any]) -> None:
        permissions_count(float("inf"))
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="mlplan", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        permissions_count(0.0)

    yield be
    permissions_count(float("inf"))


def test_the_documented_policy_is_enough_and_no_more(become: Become, s3: str, tmp_path: Path) -> None:
    bucket = s3.split("/")[2]
    place = f"s3://{bucket}/tutorial"
    written = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)[0].replace("team-ml", bucket)
    listing, reading, writing, removing = json.loads(written)["Statement"]

    become("ann", [listing, reading, writing, removing])
    ann = project(tmp_path / "ann", place)
    done(ann, "apply", "-y")
    in_step(ann)
    assert list(open_bucket(place).list_from("lease")) == []

    other = command(project(tmp_path / "other", f"s3://{bucket}/another-prefix"), "apply", "-y")
    assert "MLP4402" in other.stderr

    become("bob", [listing, reading])
    bob = project(tmp_path / "bob", place)
    in_step(bob)
    done(bob, "show")
    done(bob, "workspace", "show")
    done(bob, "model", "download", "total:1", "-t", str(tmp_path / "model"))
    make(bob, {"data/two.txt": b"2"})
    refused = command(bob, "apply", "-y")
    assert refused.returncode == 1
    assert "MLP4402" in refused.stderr

    removing["Resource"] = [removing["Resource"].replace("lease", name) for name in ("lease", "artifacts", "packs")]
    become("carol", [listing, reading, writing, removing])
    carol = project(tmp_path / "carol", place)
    make(carol, {"mlplan.yaml": f"version: 1\nproject: shared\nworkspace: {place}\n".encode()})
    done(carol, "apply", "-y")
    done(carol, "gc", "-y")
    assert dict(open_bucket(place).sizes("artifacts")) == {}
