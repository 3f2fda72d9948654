"""A plan with nothing to do starts quickly because of what it doesn't load. Here is the list of what it may."""

from __future__ import annotations

import json
import subprocess
import sys

from .project import Project

PLANNED = """
import sys
before = set(sys.modules)
from mlplan.cli.main import main
code = main(["plan", "--detailed-exitcode"])
loaded = sorted(set(sys.modules) - before)
import json
print(json.dumps([code, loaded]))
"""

ROOMS = """
address cli codes diagnostics errors fingerprint graph json_types kinds lock machine manifest plan
resources serving source state targets tracking views workspace world
"""
"""The rooms of mlplan that such a plan enters."""

NOT_THERE = {
    "mlplan.cli.commands": "typer reads no flags that `quick` can read",
    "mlplan.manifest.models": "the manifest is kept resolved, with its schema checked",
    "mlplan.manifest.parse": "the manifest is kept resolved",
    "mlplan.manifest.requests": "the files of test requests are as they were",
    "mlplan.manifest.scripts": "the scripts are as they were",
    "mlplan.events": "nothing is applied",
    "mlplan.apply": "nothing is applied",
    "mlplan.render": "nothing is rendered",
    "mlplan.targets.docker": "no compute is of that type",
    "mlplan.serving.worker": "the runtime is carried, not run",
}
"""What those rooms hold beside it, and why it is not needed."""

LIBRARY = """
array atexit _bisect bisect _blake2 collections _collections contextlib copyreg encodings enum errno fcntl
fnmatch functools _functools __future__ gc getpass _hashlib hashlib _heapq heapq importlib itertools json
_json keyword math _opcode operator _operator posixpath _posixsubprocess pwd _queue _random re reprlib
select selectors _sha2 _sha512 signal _socket socket _sre sre_compile sre_constants sre_parse stringprep
_struct struct termios _thread threading types _typing typing unicodedata warnings weakref _weakrefset
"""
"""What it may load of the standard library, and nothing from elsewhere."""


def loaded_by_a_plan(project: Project) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PLANNED],
        cwd=project.folder,
        env=project.env,
        capture_output=True,
        text=True,
        check=True,
    )
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout
    return set(loaded)


def test_a_plan_with_nothing_to_do_loads_only_what_is_listed(small: Project) -> None:
    small.apply()
    small.in_step()
    loaded = loaded_by_a_plan(small)
    ours = {name for name in loaded if name.startswith("mlplan.")}
    assert {name.split(".")[1] for name in ours} - set(ROOMS.split()) == set()
    assert ours & set(NOT_THERE) == set()
    others = {name.split(".")[0] for name in loaded - ours} - {"mlplan"}
    assert others - set(LIBRARY.split()) == set()
