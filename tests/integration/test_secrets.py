"""Secrets, followed through all that mlplan writes: canaries in each place, looked for in every file and word."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from .canaries import PRINTS, Witness, command_lines, files_below, forms, showing, shown_masked
from .lock.test_resolve import wheel
from .lock.unreliable_server import Asked, Handler, Server, running, whole
from .project import Project

SECRETS = {
    "TOKEN": "canary of env/+=&%",
    "ASK_TOKEN": "canary of inference/+=&%",
    "USER": "canary-user",
    "PASSWORD": "canary-password",
    "FOLDER": "canary-folder",
    "SIGNATURE": "canary-signature",
}
INDEX_PASSWORD = "canary-index"

MANIFEST = """\
version: 1
project: canaries
variables:
  port: {type: integer}
compute:
  here: {type: local}
dataset:
  numbers:
    source:
      - "http://${{ secret.USER }}:${{ secret.PASSWORD }}@HOST/${{ secret.FOLDER }}/a.csv?sig=${{ secret.SIGNATURE }}"
      - "http://HOST/b.csv?${{ secret.SIGNATURE }}"
run:
  train:
    compute: here
    source: code
    script: train.py
    arguments: [--data, "${{ dataset.numbers.path }}"]
    environment: {file: requirements.txt}
    env: {TOKEN: "Bearer ${{ secret.TOKEN }}"}
  fit:  # the service has its environment: mlplan's own, which needs no package
    compute: here
    command: [cp, "${{ run.train.outputs }}/mean.json", outputs/mean.json]
model:
  mean: {run: fit, path: outputs/mean.json}
inference:
  scorer: {source: code, entry_script: score.py, env: {ASK: "${{ secret.ask-token }}"}}
deployment:
  means:
    compute: here
    models: [mean]
    inference: scorer
    port: ${{ var.port }}
    test: [{request: ask.json, expect: 22}]
"""
TRAIN = """\
import json, os
from prints import tell
tell(os.environ["TOKEN"][7:])
assert len(os.environ["TOKEN"]) == 25
assert not [name for name in os.environ if name.startswith("MLPLAN_SECRET")]
os.makedirs("outputs", exist_ok=True)
json.dump({"mean": 1}, open("outputs/mean.json", "w"))
"""
SCORE = """\
import json, os
from prints import tell

def init():
    assert not [name for name in os.environ if name.startswith("MLPLAN_SECRET")]
    tell(os.environ["ASK"])

def run(data):
    tell(os.environ["ASK"])
    if json.loads(data)["less"] == 3:
        raise ValueError(os.environ["ASK"])
    return len(os.environ["ASK"]) - json.loads(data)["less"]
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Iterator[Project]:
    """A project with a canary wherever a secret can stand; all that it leaves anywhere is below `tmp_path`."""
    project = Project(str(tmp_path / "project"))
    host = f"127.0.0.1:{server.server_address[1]}"
    project.write("mlplan.yaml", MANIFEST.replace("HOST", host))
    project.write("code/prints.py", PRINTS)
    project.write("code/train.py", TRAIN)
    project.write("code/score.py", SCORE)
    project.write("ask.json", '{"less": 2}')
    index = f"http://ann:${{INDEX_PASSWORD}}@{host}/simple"
    project.write("requirements.txt", f"--index-url {index}\napple\n")
    project.write(".gitignore", ".mlplan/\n")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=project.folder, check=True)
    publish_apple(server, tmp_path / "wheels")
    server.answer("/canary-folder/a.csv", whole(b"1\n"))
    server.answer("/b.csv", whole(b"2\n"))
    project.env |= {f"MLPLAN_SECRET_{name}": value for name, value in SECRETS.items()}
    project.env |= {"INDEX_PASSWORD": INDEX_PASSWORD, "HOME": str(tmp_path / "home")}
    project.env |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    yield project
    project.destroy()


def publish_apple(server: Server, folder: Path) -> None:
    """An index with one package, for those who know the password."""
    wheel(folder, "apple", "1.0")
    name = "apple-1.0-py3-none-any.whl"
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    page = f'<a href="/files/{name}#sha256={digest}" data-core-metadata="true">{name}</a>'.encode()
    login = base64.b64encode(f"ann:{INDEX_PASSWORD}".encode()).decode()

    def listing(handler: Handler, asked: Asked) -> None:
        known = asked.headers.get("authorization") == f"Basic {login}"
        handler.head(200 if known else 401, Content_Length=len(page) if known else 0, Content_Type="text/html")
        handler.wfile.write(page if known else b"")

    server.answer("/simple/apple/", listing)
    server.answer(f"/files/{name}", whole((folder / name).read_bytes()))
    server.answer(f"/files/{name}.metadata", whole(b"Metadata-Version: 2.1\nName: apple\nVersion: 1.0\n"))


def test_forms_finds_a_secret_however_it_is_written() -> None:
    secret = SECRETS["TOKEN"]
    for text in (b"x", b"xy", b"xyz"):
        encoded = base64.b64encode(text + secret.encode() + b"zzz")
        assert any(form in encoded for form in forms(secret))
    for text_form in (quote(secret), json.dumps({"a": secret}), secret.encode().hex()):
        assert any(form in text_form.encode() for form in forms(secret))


def test_no_secret_shows_anywhere(project: Project, server: Server, tmp_path: Path) -> None:
    run = Witness(project)
    fail_in_every_way(run, server)
    run("apply", "-y", "--format", "json")
    for name in ("dataset.numbers", "run.train"):
        run("plan", "--replace", name, "--detailed-exitcode", code=2)
    run("plan", "--detailed-exitcode")
    keys = json.loads(Path(project.folder, ".mlplan", "service-keys", "means", "keys.json").read_text())
    services = command_lines()
    login = base64.b64encode(b"canary-user:canary-password").decode()
    assert ("/canary-folder/a.csv?sig=canary-signature", f"Basic {login}") in {
        (asked.path, asked.headers.get("authorization")) for asked in server.asked
    }

    project.env["MLPLAN_SECRET_TOKEN"] = SECRETS["TOKEN"] + "!"
    project.edit("code/train.py", "25", "26")
    assert project.plan()["run.train"][1] == ["code/train.py changed", "secret TOKEN changed"]
    look_at_everything(run)
    run("plan", "--out", "../plan.json")
    run("show", "../plan.json")
    run("apply", "../plan.json")
    run("lock", "--upgrade", "apple")
    run("gc", "-y", code=None)

    planted = {**SECRETS, "the new one": SECRETS["TOKEN"] + "!", "index": INDEX_PASSWORD}
    planted |= {f"service key {which}": value for which, value in keys.items()}
    assert len(planted) == 10
    kept = files_below(tmp_path, without="service-keys")
    assert len(kept) > 50
    assert showing(planted, kept) == []
    assert showing(planted, run.said) == []
    assert showing(planted, services) == []


def fail_in_every_way(run: Witness, server: Server) -> None:
    """Errors quote what they are about."""
    project = run.project
    server.answer("/b.csv", lambda handler, asked: handler.head(404, Content_Length=0))
    failing(run, "lock")
    failing(run, "apply", "-y")
    server.answer("/b.csv", whole(b"2\n"))

    del project.env["MLPLAN_SECRET_SIGNATURE"]
    assert "MLP7030" in run.project.mlplan("lock", code=1).err
    project.env["MLPLAN_SECRET_SIGNATURE"] = SECRETS["SIGNATURE"]

    project.env["INDEX_PASSWORD"] = INDEX_PASSWORD + "-wrong"
    failing(run, "apply", "-y")
    project.env["INDEX_PASSWORD"] = INDEX_PASSWORD

    project.edit("code/train.py", "import json, os\n", "import json, os; 1 / 0\n")
    failing(run, "apply", "-y")
    project.edit("code/train.py", "import json, os; 1 / 0", "import json, os")

    project.edit("code/score.py", "def init():\n", "def init():\n    raise ValueError(os.environ['ASK'])\n")
    failing(run, "apply", "-y")
    project.edit("code/score.py", "    raise ValueError(os.environ['ASK'])\n", "")

    project.edit("mlplan.yaml", "expect: 22", "expect: 21")
    failing(run, "apply", "-y")
    project.edit("mlplan.yaml", "expect: 21", "expect: 22")


def failing(run: Witness, *words: str) -> None:
    run(*words, code=None)
    assert run.code not in (0, 70)


def look_at_everything(run: Witness) -> None:
    """All that shows something of a project."""
    subprocess.run(["git", "add", "--all"], cwd=run.project.folder, check=True)
    user = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", *user, "commit", "-qm", "work", "--allow-empty"], cwd=run.project.folder, check=True)
    for form in ("text", "json", "markdown", "html"):
        run("plan", "--format", form)
        run("plan", "--base", "HEAD", "--format", form)
        run("plan", "--base", "HEAD", "--with-state", "--format", form)
    for form in ("text", "json", "sarif", "github", "gitlab", "junit", "markdown"):
        run("validate", "--format", form)
    for form in ("svg", "dot", "mermaid"):
        run("graph", "--format", form)
    for kind in ("dataset", "run", "model", "service"):
        run(kind, "list", "--format", "json")
    for address in ("dataset.numbers", "run.train", "inference.scorer", "deployment.means"):
        run("explain", address)
        run("show", address, "--format", "json")
    run("plan", "--verbose")
    run("show", "--format", "json")
    run("history", "--format", "json")
    run("service", "score", "means", "-d", '{"less": 1}')
    run("service", "score", "means", "-d", '{"less": 3}', code=None)
    for words in (("run", "logs", "train"), ("service", "logs", "means")):
        log = run(*words)
        assert shown_masked(log), log
    assert "ValueError: ***\n" in log
    run("render", "--out", "rendered")
    run("workspace", "--help")


ONE_RUN = """\
version: 1
project: one-run
compute:
  here: {type: local}
run:
  it: {compute: here, source: code, script: it.py, env: {A: "${{ secret.X }}"}}
"""


def test_a_secret_from_a_command(tmp_path: Path) -> None:
    """The command is of the user's environment; it gets the name as its last word, and no shell reads it."""
    project = Project(str(tmp_path / "project"))
    project.write(
        "mlplan.yaml", "version: 1\nproject: p\ncompute:\n  here: {type: local}\nrun:\n  it: {compute: here, "
    )
    with open(os.path.join(project.folder, "mlplan.yaml"), "a", encoding="utf-8") as stream:
        stream.write('source: code, script: it.py, env: {A: "${{ secret.api-token }}"}}\n')
    project.write("code/it.py", "import os\nassert os.environ['A'] == 'from $HOME api-token', os.environ['A']\n")
    vault = tmp_path / "vault"
    vault.write_text('#!/bin/sh\necho "asked for $2" >> "$0.log"\necho "from $1 $2"\n')
    vault.chmod(0o755)
    project.env["MLPLAN_SECRETS_COMMAND"] = f"{vault} '$HOME'"
    project.apply()
    project.in_step()
    log = vault.with_name("vault.log").read_text().splitlines()
    assert set(log) == {"asked for api-token"}

    project.env["MLPLAN_SECRET_API_TOKEN"] = "the variable goes first"
    assert project.plan()["run.it"] == ("run", ["secret api-token changed"])
    project.env["MLPLAN_SECRET_API_TOKEN"] = ""  # as CI sets it for a fork
    project.in_step()
    project.env["MLPLAN_SECRETS_COMMAND"] = "false"
    assert "no secret api-token: the command of MLPLAN_SECRETS_COMMAND ended with 1" in project.mlplan("plan").err
    project.env["MLPLAN_SECRETS_COMMAND"] = "no-such-program"
    failed = project.mlplan("apply", "-y", "--replace", "run.it", code=1)
    assert "MLP7030" in failed.err
    assert "No such file or directory" in failed.err


def test_the_command_is_not_asked_for_a_comparison_of_two_revisions(tmp_path: Path) -> None:
    project = Project(str(tmp_path / "project"))
    project.write("mlplan.yaml", ONE_RUN)
    project.write("code/it.py", "pass\n")
    for words in ("init -q", "add --all", "-c user.name=Ann -c user.email=a@example.org commit -qm work"):
        subprocess.run(["git", *words.split()], cwd=project.folder, check=True)
    project.env["MLPLAN_SECRETS_COMMAND"] = f"touch {tmp_path}/asked"
    project.mlplan("plan", "--base", "HEAD")
    project.mlplan("validate")
    assert not (tmp_path / "asked").exists()


def test_the_key_of_the_digests_stays_out_of_the_state(tmp_path: Path) -> None:
    """Elsewhere, where the key isn't, a secret can't be compared and counts as it is recorded."""
    project = Project(str(tmp_path / "project"))
    project.write("mlplan.yaml", ONE_RUN)
    project.write("code/it.py", "pass\n")
    project.env["MLPLAN_SECRET_X"] = "one"
    project.mlplan("plan", "--out", "plan.json")
    project.mlplan("apply", "plan.json")  # the first plan made the key, so that the apply after it agrees
    project.in_step()
    key = Path(project.folder) / ".mlplan" / "keys" / "digest-key"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = files_below(Path(project.folder), without="keys")
    assert [path for path, content in kept.items() if key.read_bytes() in content] == []

    project.env["MLPLAN_SECRET_X"] = "two"
    assert project.plan() == {"run.it": ("run", ["secret X changed"])}
    changed = json.loads(project.mlplan("plan", "--format", "json").out)["resource_changes"][1]["change"]
    assert (changed["before"]["secret X"], changed["after"]["secret X"]) == ("(secret)", "(secret)")
    assert project.apply() == {"run.it": ("run", "done")}

    key.unlink()  # and a key is made anew, by which nothing that is recorded can be compared
    told = project.mlplan("plan", "--detailed-exitcode").out
    doubt = "whether secret X changed can't be told: its digest was made with a key that isn't here; "
    doubt += "`mlplan apply --replace run.it` makes one with the key of here"
    assert " ".join(told.split()).startswith(f"Note: run.it: {doubt}. No changes.")
    assert notes(project) == [doubt]
    for form in ("markdown", "html"):
        assert "whether secret X changed" in project.mlplan("plan", "--format", form).out
    assert project.apply("--replace", "run.it") == {"run.it": ("run", "done")}
    assert notes(project) == []
    project.env["MLPLAN_SECRET_X"] = "three"
    assert project.plan() == {"run.it": ("run", ["secret X changed"])}
    project.env["MLPLAN_SECRET_X"] = "two"
    project.in_step()


def notes(project: Project) -> list[str]:
    """What a plan notes of `run.it`."""
    changes = json.loads(project.mlplan("plan", "--format", "json").out)["resource_changes"]
    return [note for change in changes if change["address"] == "run.it" for note in change["notes"]]


def test_a_key_that_a_team_begins_to_share_is_taken_up_without_running_anything(tmp_path: Path) -> None:
    project = Project(str(tmp_path / "project"))
    project.write("mlplan.yaml", ONE_RUN)
    project.write("code/it.py", "print('ran')\n")
    project.env["MLPLAN_SECRET_X"] = "one"
    project.apply()
    before = project.mlplan("run", "list", "--format", "json").out

    project.env["MLPLAN_DIGEST_KEY"] = "a key that a team shares"
    action, reasons = project.plan()["run.it"]
    assert (action, reasons) == ("update", ["secret X, second digest added"])
    assert "mlplan.yaml:6" in project.mlplan("explain", "run.it").out
    assert project.apply() == {"run.it": ("update", "done")}
    project.in_step()
    assert project.mlplan("run", "list", "--format", "json").out == before
    key = project.env.pop("MLPLAN_DIGEST_KEY")
    project.in_step()  # here the first key can still tell
    (Path(project.folder) / ".mlplan" / "keys" / "digest-key").unlink()
    project.in_step()

    project.env["MLPLAN_DIGEST_KEY"] = key
    assert notes(project) == []
    project.env["MLPLAN_SECRET_X"] = "two"
    assert "secret X changed" in project.plan()["run.it"][1]
    assert project.apply() == {"run.it": ("run", "done")}
    project.in_step()
