"""Every Dockerfile that is rendered, against what a good one has: `docs/reference` says why, hadolint says more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from project_cases import NAMES, rendered

from mlplan.render.dockerfiles import Image, Service, environment_files, serving_files, training_files

PINNED = "python@sha256:" + "0" * 64
LOCK = "h11==0.16.0 --hash=sha256:" + "d" * 64 + "\n"
SERVICE = Service("svc", "tutorial", "scripts/score.py", "scripts", True, {"m": "scikit-learn"}, {"timeout_s": 60.0})
HADOLINT = Path(sys.executable).parent / "hadolint"


def image(**changes: Any) -> Image:
    """What decides an image's files."""
    base = Image("tutorial", "run.train", PINNED, "3.11", LOCK, True, "3f2a9c1e")
    return base._replace(**changes)


def every_image() -> Iterator[tuple[str, dict[str, str]]]:
    """The files of one image of each sort, and of those of the golden projects."""
    for python in ("3.11", None):
        for buildkit in (True, False):
            for base in (PINNED, "base:1"):
                made = image(python=python, buildkit=buildkit, base_image=base)
                name = f"{python or 'no environment'}, {'buildkit' if buildkit else 'older'}, {base[:9]}"
                yield f"training, {name}", training_files(made)
                yield f"serving, {name}", serving_files(made, SERVICE)
    for case in NAMES:
        files = rendered(case)
        for folder in sorted({path.rpartition("/")[0] for path in files if path.endswith("/Dockerfile")}):
            inside = {path[len(folder) + 1 :]: text for path, text in files.items() if path.startswith(f"{folder}/")}
            yield f"{case}, {folder}", inside


IMAGES = list(every_image())
each_image = pytest.mark.parametrize("files", [files for _, files in IMAGES], ids=[name for name, _ in IMAGES])


class Instruction(NamedTuple):
    """One instruction, its lines joined."""

    word: str
    rest: str


def stages(dockerfile: str) -> list[list[Instruction]]:
    """The instructions of a Dockerfile by stage, each stage beginning with its FROM."""
    joined = re.sub(r"\\\n\s*", "", dockerfile)
    found: list[list[Instruction]] = []
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append(Instruction(word, rest))
    return found


def of(stage: list[Instruction], *words: str) -> list[str]:
    return [rest for word, rest in stage if word in words]


@each_image
def test_1_images_of_others_are_pinned_or_said_not_to_be(files: dict[str, str]) -> None:
    text = files["Dockerfile"]
    names = {stage[0].rest.split(" AS ")[1] for stage in stages(text)}
    sources = [stage[0].rest.split(" AS ")[0] for stage in stages(text)]
    sources += [match[1] for match in re.finditer(r"COPY --from=(\S+)", text)]
    for source in sources:
        assert source in names or "@sha256:" in source or "The base image isn't pinned" in text


@each_image
def test_2_the_user_is_a_number_and_not_root(files: dict[str, str]) -> None:
    last = stages(files["Dockerfile"])[-1]
    (user,) = of(last, "USER")
    assert re.fullmatch(r"[1-9][0-9]*:[0-9]+", user)
    assert "RUN" not in [word for word, _ in last[[word for word, _ in last].index("USER") :]]


@each_image
def test_3_the_last_stage_runs_nothing(files: dict[str, str]) -> None:
    assert of(stages(files["Dockerfile"])[-1], "RUN") == []


@each_image
def test_4_packages_are_installed_by_their_hashes(files: dict[str, str]) -> None:
    installs = [run for stage in stages(files["Dockerfile"]) for run in of(stage, "RUN") if "pip" in run]
    for run in installs:
        for command in run.split("&&"):
            assert "pip" not in command or "--require-hashes" in command or " venv " in command
    assert bool(installs) == ("requirements.lock" in files)
    for name in ("requirements.lock", "uv.txt"):
        text = re.sub(r"\\\n\s*", "", files.get(name, ""))
        assert all("--hash=sha256:" in line for line in text.splitlines() if line and not line.startswith("#"))


@each_image
def test_5_what_changes_most_is_copied_last(files: dict[str, str]) -> None:
    *_, deps, last = [[], *stages(files["Dockerfile"])]
    copies = [copy.split()[-2].strip("/") for copy in of(last, "COPY")]
    order = ["opt/venv", "runtime", "service.json", "app", "models", "code"]
    assert copies == [name for name in order if name in copies]
    assert copies[-1] in ("models", "code")
    if "requirements.lock" in files:
        assert of(deps, "COPY")[-1].startswith("requirements.lock ")


@each_image
def test_6_it_starts_without_a_shell_and_can_be_stopped_and_asked(files: dict[str, str]) -> None:
    last = stages(files["Dockerfile"])[-1]
    (entrypoint,) = of(last, "ENTRYPOINT")
    (health,) = of(last, "HEALTHCHECK")
    assert isinstance(json.loads(entrypoint), list)
    assert of(last, "STOPSIGNAL") == ["SIGTERM"]
    assert health == "NONE" or json.loads(health.partition("CMD ")[2])[-1] == "probe"


@each_image
def test_7_no_argument_or_variable_is_a_secret(files: dict[str, str]) -> None:
    for stage in stages(files["Dockerfile"]):
        for rest in of(stage, "ARG", "ENV"):
            for name in re.findall(r"([A-Za-z_]+)=|^([A-Za-z_]+)$", rest):
                assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", "".join(name))


def test_8_two_renders_are_the_same_and_only_the_revision_follows_the_repository() -> None:
    assert training_files(image()) == training_files(image())
    before, after = (
        training_files(image(revision="a"))["Dockerfile"],
        training_files(image(revision="b"))["Dockerfile"],
    )
    differ = [line for line in after.splitlines() if line not in before.splitlines()]
    assert differ == ['ARG MLPLAN_REVISION="b"']


@each_image
def test_9_labels_say_what_it_is(files: dict[str, str]) -> None:
    (labels,) = of(stages(files["Dockerfile"])[-1], "LABEL")
    for name in ("project", "address", "fingerprint"):
        assert f"dev.mlplan.{name}=" in labels
    for name in ("title", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


@each_image
def test_10_the_context_holds_what_is_copied_and_nothing_else(files: dict[str, str]) -> None:
    lines = [line for line in files[".dockerignore"].splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:].removesuffix("/**") for line in lines[1:]}
    copied = {
        copy.split()[-2].strip("/")
        for stage in stages(files["Dockerfile"])
        for copy in of(stage, "COPY")
        if "--from=" not in copy
    }
    assert allowed == copied


@each_image
def test_hadolint_finds_nothing(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(files["Dockerfile"])

    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_images_with_the_same_packages_share_their_environment() -> None:
    training = environment_files(training_files(image()))
    serving = environment_files(serving_files(image(address="deployment.svc", project="other"), SERVICE))

    assert training == serving
    assert training != environment_files(training_files(image(requirements=LOCK.replace("d", "e"))))
    assert training != environment_files(training_files(image(python="3.12")))
