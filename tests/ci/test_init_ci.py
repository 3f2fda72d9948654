"""`mlplan init --ci`: the jobs of a forge, written where it looks for them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlplan.cli.init import host_of

from .conftest import Checkout
from .steps import ROOT


def init(checkout: Checkout, *words: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = checkout.scratch / "mlplan-env" / "bin" / "mlplan"
    return subprocess.run(
        [str(program), "init", *words], cwd=where or checkout.folder, env=checkout.env, capture_output=True, text=True
    )


def test_beside_a_project_that_is_there(checkout: Checkout) -> None:
    checkout.installed()
    ran = init(checkout, "--ci", "github")
    assert ran.returncode == 0, ran.stderr
    for name in ("mlplan-check.yml", "mlplan-apply.yml"):
        written = (checkout.folder / ".github" / "workflows" / name).read_text()
        assert written == (Path(ROOT) / "templates" / "ci" / "github" / name).read_text()
    again = init(checkout, "--ci", "github")
    assert again.returncode == 1
    assert "MLP5006" in again.stderr
    assert init(checkout, "--ci", "gitlab").returncode == 0
    assert (checkout.folder / "mlplan.gitlab-ci.yml").exists()


def test_at_the_top_of_the_repository_with_a_new_project_below(checkout: Checkout) -> None:
    checkout.installed()
    ran = init(checkout, "ml", "--ci", "github")
    assert ran.returncode == 0, ran.stderr
    assert (checkout.folder / "ml" / "mlplan.yaml").exists()
    assert (checkout.folder / ".github" / "workflows" / "mlplan-check.yml").exists()
    assert "say in them where it is, `ml`" in ran.stderr


def test_it_is_offered_for_the_forge_of_the_remote(checkout: Checkout) -> None:
    checkout.installed()
    told = init(checkout, "new").stderr
    assert "    cd new\n" in told
    assert told.endswith("    mlplan init --ci github    # checks pull requests as well (or gitlab)\n")
    remote = ["git", "remote", "add", "team", "git@gitlab.example.org:github/models.git"]
    subprocess.run(remote, cwd=checkout.folder, check=True)
    assert "    mlplan init --ci gitlab    # checks" in init(checkout, "newer").stderr


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/team/models.git", "github.com"),
        ("https://me:token@gitlab.com/team/models.git", "gitlab.com"),
        ("ssh://git@gitlab.example.org:2222/team/models.git", "gitlab.example.org:2222"),
        ("git@github.com:team/models.git", "github.com"),
        ("/srv/github/models.git", ""),
    ],
)
def test_the_host_of_a_remote(url: str, host: str) -> None:
    assert host_of(url) == host
