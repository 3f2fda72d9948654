"""Images: both builders, labels, what goes wrong while one is built."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from on_targets import silent

from mlplan.errors import Refusal
from mlplan.json_types import Json
from mlplan.render.dockerfiles import Image, training_files
from mlplan.targets.docker import archives
from mlplan.targets.docker import target as docker_target
from mlplan.targets.docker.engine import Engine
from mlplan.targets.docker.images import Recipe, build, remove_images
from mlplan.targets.protocols import Environment, JobSpec, Target

from .on_docker import H11, docker

pytestmark = pytest.mark.docker


def recipe(base: str, tmp_path: Path, *, buildkit: bool, **changes: Any) -> Recipe:
    """What a small image is built from."""
    image = Image("test", "run.train", base, None, "", buildkit, "abc123")._replace(**changes)
    code = tmp_path / "code"
    code.mkdir(exist_ok=True)
    (code / "ours.py").write_text(f"# {tmp_path}")
    return Recipe(image, training_files, archives.tree("code", str(code)), f"home-of-{tmp_path.name}")


def test_labels_say_what_they_should_whatever_they_hold(docker_base: str, tmp_path: Path, buildkit: bool) -> None:
    odd = 'a "quoted" $HOME \\n `name` \u00e4'
    made = build(Engine(), recipe(docker_base, tmp_path, buildkit=buildkit, project=odd), silent)
    try:
        labels = made["Config"]["Labels"]
        assert labels["dev.mlplan.project"] == odd
        assert labels["org.opencontainers.image.title"] == f"{odd} run.train"
        assert labels["org.opencontainers.image.revision"] == "abc123"
        assert labels["dev.mlplan.fingerprint"][:20] == made["RepoTags"][0].rpartition(":")[2]
    finally:
        remove_images(Engine(), {"home": f"home-of-{tmp_path.name}"})


def test_a_new_revision_alone_builds_nothing(docker_base: str, tmp_path: Path) -> None:
    first = build(Engine(), recipe(docker_base, tmp_path, buildkit=True), silent)
    try:
        told: list[str] = []
        again = recipe(docker_base, tmp_path, buildkit=True, revision="def456")
        assert build(Engine(), again, lambda _, detail: told.append(detail))["Id"] == first["Id"]
        assert told == []
    finally:
        remove_images(Engine(), {"home": f"home-of-{tmp_path.name}"})


def test_a_name_that_somebody_gave_to_another_image_is_built_again(docker_base: str, tmp_path: Path) -> None:
    wanted = recipe(docker_base, tmp_path, buildkit=True)
    first = build(Engine(), wanted, silent)
    try:
        docker("tag", docker_base, first["RepoTags"][0])

        assert build(Engine(), wanted, silent)["RootFS"] == first["RootFS"]
    finally:
        remove_images(Engine(), {"home": f"home-of-{tmp_path.name}"})


def test_a_base_image_that_is_nowhere_is_named(
    open_target: Callable[..., Target], job: Callable[..., JobSpec]
) -> None:
    target = open_target(base_image="127.0.0.1:9/no/such:1")

    with pytest.raises(Refusal, match=r"MLP8204.*127\.0\.0\.1:9/no/such:1"):
        target.jobs.submit(job(""), silent)

    assert docker("ps", "-aq", "--filter", "ancestor=127.0.0.1:9/no/such:1") == ""


def test_a_step_that_fails_shows_its_last_lines(
    docker_base: str, tmp_path: Path, job: Callable[..., JobSpec], buildkit: bool
) -> None:
    project = f"of-{tmp_path.name}"  # others build at the same time
    compute: dict[str, Json] = {"base_image": docker_base, "buildkit": buildkit}
    target = docker_target.open(str(tmp_path / "home"), project, compute)
    wrong = H11.requirements.replace("4e35b956", "00000000").replace("63cf8bbe", "00000000")

    spec = job("", environment=Environment("wrong", "3.11", wrong), labels={"project": project})

    with pytest.raises(Refusal) as refusal:
        target.jobs.submit(spec, silent)

    (found,) = refusal.value.diagnostics
    assert found.code == "MLP8205"
    target.clear()
    assert docker("image", "ls", "-q", "--filter", f"label=dev.mlplan.project={project}") == ""
    assert "uv pip sync" in found.detail
    assert "Hash mismatch" in found.detail
    assert target.jobs.keys() == []


def test_a_python_that_the_base_image_lacks_is_named(target: Target, job: Callable[..., JobSpec]) -> None:
    with pytest.raises(Refusal, match=r"(?s)MLP8205.*3\.9"):
        target.jobs.submit(job("", environment=H11._replace(python="3.9")), silent)


def test_a_base_image_that_is_only_here_needs_no_pin(target: Target, job: Callable[..., JobSpec]) -> None:
    assert target.jobs.check(job("")) == []


def test_packages_are_where_the_base_image_is_not_asked(target: Target, job: Callable[..., JobSpec]) -> None:
    spec = job("import sys, h11\nprint(sys.prefix, h11.__file__)", environment=H11)
    target.jobs.submit(spec, silent)

    (line,) = target.jobs.logs("key-1", follow=True)
    assert line == "/opt/venv /opt/venv/lib/python3.11/site-packages/h11/__init__.py"


class Answer:
    """What an engine says to a build that it begins and can't go on with."""

    status_code = 200

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None: ...

    def iter_lines(self, chunk_size: int | None) -> list[bytes]:
        error = "failed to solve: failed to read downloaded context: no active session for x: context canceled"
        return [json.dumps({"errorDetail": {"message": error}, "error": error}).encode()]


@pytest.mark.parametrize("version", ["1.38", "1.43"], ids=["without BuildKit", "for the docker command alone"])
def test_where_an_engine_has_no_buildkit_for_us_its_older_builder_builds(
    version: str, docker_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    read, post = engine.read, engine.client.api.post
    asked: list[bool] = []

    def answer(url: str, *, params: dict[str, str], **options: Any) -> Any:
        asked.append("version" in params)
        return Answer() if "version" in params else post(url, params=params, **options)

    monkeypatch.setattr(engine.client.api, "post", answer)
    monkeypatch.setattr(
        engine, "read", lambda path, **query: {"ApiVersion": version} if path == "/version" else read(path, **query)
    )
    wanted = recipe(docker_base, tmp_path, buildkit=True)
    try:
        made = build(engine, wanted, silent)
        assert asked == ([False] if version == "1.38" else [True, False])
        assert build(engine, wanted, silent)["Id"] == made["Id"]
        assert len(asked) == (1 if version == "1.38" else 2)  # an image that is there is built by no builder
    finally:
        remove_images(Engine(), {"home": wanted.home})


def test_another_project_has_a_name_of_its_own_for_the_same_layers(docker_base: str, tmp_path: Path) -> None:
    wanted = recipe(docker_base, tmp_path, buildkit=True)
    homes = (wanted.home, f"another-{wanted.home}")
    try:
        first, second = (build(Engine(), wanted._replace(home=home), silent) for home in homes)

        assert first["RepoTags"] != second["RepoTags"]
        assert first["RootFS"] == second["RootFS"]
    finally:
        for home in homes:
            remove_images(Engine(), {"home": home})
