"""`mlplan init --ci`: the jobs of a forge, written where it looks for them."""

from __future__ import annotations

import subprocess
from pathlib import Path

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


def test_it_is_offered(checkout: Checkout) -> None:
    checkout.installed()
    assert "mlplan init --ci github" in init(checkout, "new").stderr
