"""Every kind of edit has the impact that it has, on a pull request too, and `--fail-on` makes a gate of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from .repository import MANIFEST, Repository

Make = Callable[[Repository], None]


class Edit(NamedTuple):
    """What is altered, and which impact each change has then."""

    make: Make
    impacts: dict[str, str]


def edit(name: str, old: str, new: str) -> Make:
    return lambda repository: repository.edit(name, old, new)


def manifest(old: str, new: str) -> Make:
    return edit("mlplan.yaml", old, new)


def without(section: str) -> Make:
    """Removes everything from a section's line on."""
    return lambda repository: repository.write({"mlplan.yaml": MANIFEST.partition(f"{section}:\n")[0]})


SCRIPT = "    script: train.py\n"
AUTH = "    auth: none\n"
RETRAINED = {"run.train": "retrain", "model.mean": "serve-only", "deployment.means": "serve-only"}
ANSWERS = {"inference.scorer": "contract", "deployment.means": "contract"}

EDITS = {
    "nothing": Edit(lambda repository: None, {}),
    "a comment in the manifest": Edit(manifest("project: pr", "project: pr  # the whole of it"), {}),
    "a comment in a script": Edit(edit("code/train.py", "import reading", "# Begin.\nimport reading"), {}),
    "a file that nothing reads": Edit(lambda repository: repository.write({"NOTES.md": "later"}), {}),
    "how many nodes a compute has": Edit(manifest("max_nodes: 2", "max_nodes: 3"), {"compute.here": "cosmetic"}),
    "a data file": Edit(edit("data/b.txt", "3", "4"), {"dataset.numbers": "cosmetic", **RETRAINED}),
    "a tag of a dataset": Edit(manifest("owner: ann", "owner: bob"), {"dataset.numbers": "cosmetic"}),
    "an argument": Edit(manifest("default: 0.5", "default: 0.25"), RETRAINED),
    "a module that the script imports": Edit(edit("code/reading.py", "return 1", "return 2"), RETRAINED),
    "a variable of a run": Edit(manifest(SCRIPT, SCRIPT + "    env: {LEVEL: '2'}\n"), RETRAINED),
    "a secret of a run": Edit(manifest(SCRIPT, SCRIPT + "    env: {TOKEN: '${{ secret.t }}'}\n"), RETRAINED),
    "a package of a run": Edit(
        manifest(SCRIPT, SCRIPT + "    environment: {packages: [idna==3.10]}\n"),
        {"run.train": "retrain", "model.mean": "serve-only", "deployment.means": "contract"},
    ),
    "how long a run may take": Edit(manifest(SCRIPT, SCRIPT + "    timeout: 2h\n"), {"run.train": "cosmetic"}),
    "a gate": Edit(manifest("count >= 3", "count >= 4"), {"model.mean": "cosmetic"}),
    "a tag of a model": Edit(manifest("stage: trial", "stage: final"), {"model.mean": "cosmetic"}),
    "where a model is in the outputs": Edit(
        manifest("outputs/mean.json", "outputs/other.json"),
        {"model.mean": "serve-only", "deployment.means": "serve-only"},
    ),
    "the entry script": Edit(edit("code/score.py", "return data", "return [data]"), ANSWERS),
    "another entry script": Edit(
        lambda repository: repository.write(
            {
                "code/other.py": "def init(): pass\ndef run(data): return 2\n",
                "mlplan.yaml": MANIFEST.replace("entry_script: score.py", "entry_script: other.py"),
            }
        ),
        ANSWERS,
    ),
    "a variable of an inference": Edit(
        manifest("    entry_script: score.py\n", "    entry_script: score.py\n    env: {LEVEL: '2'}\n"),
        {"inference.scorer": "serve-only", "deployment.means": "serve-only"},
    ),
    "the packages of an inference": Edit(
        manifest(
            "    entry_script: score.py\n", "    entry_script: score.py\n    environment: {packages: [idna==3.10]}\n"
        ),
        {"deployment.means": "contract"},
    ),
    "a port": Edit(manifest("18321", "18322"), {"deployment.means": "contract"}),
    "a host": Edit(manifest(AUTH, AUTH + "    host: 0.0.0.0\n"), {"deployment.means": "contract"}),
    "who may ask": Edit(manifest("auth: none", "auth: key"), {"deployment.means": "contract"}),
    "how long an answer may take": Edit(manifest(AUTH, AUTH + "    timeout: 5s\n"), {"deployment.means": "contract"}),
    "how large a request may be": Edit(
        manifest(AUTH, AUTH + "    max_body: 2Mi\n"), {"deployment.means": "contract"}
    ),
    "how many answer": Edit(manifest(AUTH, AUTH + "    replicas: 2\n"), {"deployment.means": "serve-only"}),
    "a test request": Edit(edit("ask.json", "1", "2"), {"deployment.means": "serve-only"}),
    "protection": Edit(manifest(AUTH, AUTH + "    protect: true\n"), {"deployment.means": "cosmetic"}),
    "a pinned version": Edit(manifest("[mean]", "['mean:3']"), {"deployment.means": "serve-only"}),
    "one more model": Edit(
        lambda repository: repository.write(
            {
                "mlplan.yaml": MANIFEST.replace("[mean]", "[mean, more]").replace(
                    "model:\n", "model:\n  more:\n    file: data/a.txt\n"
                )
            }
        ),
        {"model.more": "serve-only", "deployment.means": "contract"},
    ),
    "a new service": Edit(
        lambda repository: repository.write(
            {
                "mlplan.yaml": MANIFEST
                + "  more:\n    compute: here\n    models: [mean]\n    inference: scorer\n    port: 18399\n"
            }
        ),
        {"deployment.more": "contract"},
    ),
    "another kind of compute": Edit(
        manifest("type: local, max_nodes: 2", "type: docker, max_nodes: 2"),
        {**RETRAINED, "compute.here": "cosmetic", "deployment.means": "contract"},
    ),
    "a service removed": Edit(without("deployment"), {"deployment.means": "destructive"}),
    "an inference removed with its service": Edit(
        without("inference"), {"deployment.means": "destructive", "inference.scorer": "cosmetic"}
    ),
    "a model removed with what needs it": Edit(
        without("model"),
        {"deployment.means": "destructive", "inference.scorer": "cosmetic", "model.mean": "destructive"},
    ),
    "a move": Edit(
        lambda repository: repository.write(
            {
                "mlplan.yaml": MANIFEST.replace("  mean:\n", "  average:\n").replace("[mean]", "[average]")
                + "moved: [{from: model.mean, to: model.average}]\n"
            }
        ),
        {"model.average": "cosmetic", "deployment.means": "serve-only"},
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_has_its_impacts(name: str, repository: Repository) -> None:
    EDITS[name].make(repository)
    repository.commit(name)
    assert {address: change.impact for address, change in repository.plan().items()} == EDITS[name].impacts


def test_a_gate_stops_the_impacts_that_it_names(repository: Repository) -> None:
    without("inference")(repository)
    repository.commit("remove the service")
    stopped = repository.mlplan("plan", "--base", "main", "--fail-on", "contract, destructive")
    assert (stopped.code, "- delete    deployment.means" in stopped.out) == (3, True)
    assert "deployment.means (delete) has the impact `destructive`" in stopped.err
    assert "inference.scorer" not in stopped.err
    assert repository.mlplan("plan", "--base", "main", "--fail-on", "retrain,contract").code == 0
    assert repository.mlplan("plan", "--base", "main", "--fail-on", "").code == 0
    assert repository.mlplan("plan", "--base", "main", "--fail-on", "retrain", "--detailed-exitcode").code == 2


def test_a_gate_stops_on_the_state_too(repository: Repository) -> None:
    assert repository.mlplan("plan", "--fail-on", "retrain").code == 3
    assert repository.mlplan("plan", "--fail-on", "destructive").code == 0


@pytest.mark.parametrize("words", [("plan",), ("plan", "--base", "main"), ("plan", "--base", "nowhere")])
def test_a_misspelt_impact_is_no_gate(words: tuple[str, ...], repository: Repository) -> None:
    result = repository.mlplan(*words, "--fail-on", "destrutive,contract,everything")
    assert (result.code, result.out) == (1, "")
    assert "error[MLP5014]: Unknown impact" in result.err
    assert 'Did you mean "destructive"?' in result.err
    assert "The impacts are: cosmetic, serve-only, retrain, contract, destructive." in result.err


def test_protection_on_the_base_refuses_on_the_pull_request(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.edit("mlplan.yaml", AUTH, AUTH + "    protect: true\n")
    repository.commit("protect")
    repository.git("checkout", "--quiet", "-B", "work")
    without("deployment")(repository)
    repository.commit("remove the service")
    result = repository.mlplan("plan", "--base", "main")
    assert (result.code, "- delete    deployment.means" in result.out) == (3, True)
    assert "error[MLP5002]: Protected resource would be destroyed" in result.err
