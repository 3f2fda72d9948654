"""Makes the projects that are measured: the same amount of work for each tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap

EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples")
NOTHING = "import os\n\nos.makedirs('outputs', exist_ok=True)\nopen('outputs/done.txt', 'w').write('done')\n"


def write(folder: str, name: str, text: str) -> None:
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(textwrap.dedent(text))


def quickstart(folder: str) -> None:
    """A copy of the example project: 6 resources, one of them a service."""
    shutil.copytree(os.path.join(EXAMPLES, "quickstart"), folder, ignore=shutil.ignore_patterns(".mlplan"))


def resources(folder: str, count: int) -> None:
    """`count` resources: a compute, then datasets, runs on them, models of them, models from files, inferences."""
    share = (count - 1) // 10
    sections: dict[str, list[str]] = {
        "dataset": [f"d{n}: {{source: data/{n}.csv}}" for n in range(3 * share)],
        "run": [
            f"r{n}: {{compute: here, source: code, script: nothing.py, arguments: ['${{{{ dataset.d{n}.path }}}}']}}"
            for n in range(share)
        ],
        "model": [f"m{n}: {{run: r{n}, path: outputs/done.txt}}" for n in range(share)],
        "inference": [f"i{n}: {{source: code, entry_script: score.py}}" for n in range(2 * share)],
    }
    rest = count - 1 - sum(map(len, sections.values()))
    sections["model"] += [f"f{n}: {{file: data/{n % (3 * share)}.csv}}" for n in range(rest)]
    lines = ["version: 1", "project: many", "compute:", "  here: {type: local, max_nodes: 2}"]
    for section, specs in sections.items():
        lines += [f"{section}:", *(f"  {spec}" for spec in specs)]
    write(folder, "mlplan.yaml", "\n".join(lines) + "\n")
    write(folder, "code/nothing.py", NOTHING)
    write(folder, "code/score.py", "def init():\n    pass\n\n\ndef run(data):\n    return data\n")
    for number in range(3 * share):
        write(folder, f"data/{number}.csv", f"{number}\n")


def two_revisions(folder: str, count: int) -> None:
    """The same `count` resources in a git repository: the branch `base`, and a commit that changes three of them."""
    resources(folder, count)
    write(folder, ".gitignore", ".mlplan/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "base")
    git(folder, "branch", "base")
    for number in range(3):
        write(folder, f"data/{number}.csv", f"another {number}\n")
    git(folder, "commit", "--quiet", "--all", "--message", "change")


def git(folder: str, *words: str) -> None:
    user = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    subprocess.run(["git", *user, *words], cwd=folder, check=True)


def broken(folder: str) -> None:
    """A manifest of 10,000 lines with 200 errors of five kinds."""
    wrong = ["sorce: data.csv", "source: nowhere.csv", "source: data.csv\n    protect: maybe"]
    wrong += [
        "source: data.csv\n    tags: {a: '${{ var.none }}'}",
        "source: data.csv\n    tags: {a: '${{ secret.x }}'}",
    ]
    lines = ["version: 1", "project: broken", "dataset:"]
    number = 0
    while len(lines) < 9_990:
        bad = number % 10 == 0 and number < 2_000
        lines.append(f"  d{number}:")
        lines += f"    {wrong[number // 10 % 5] if bad else 'source: data.csv'}".split("\n")
        lines += ["    description: >-", f"      number {number}"]
        number += 1
    lines += ["# the end"] * (10_000 - len(lines))
    write(folder, "mlplan.yaml", "\n".join(lines) + "\n")
    write(folder, "data.csv", "a\n")


def terraform(folder: str, count: int) -> None:
    """`count` resources of terraform's own provider, each needing the one before."""
    blocks = ['resource "terraform_data" "r0" {\n  input = "x"\n}\n']
    blocks += [
        f'resource "terraform_data" "r{n}" {{\n  input = terraform_data.r{n - 1 if n % 10 else 0}.id\n}}\n'
        for n in range(1, count)
    ]
    write(folder, "main.tf", "\n".join(blocks))


def dvc_stages(folder: str, count: int) -> None:
    """`count` stages, each with a script, a data file and an output."""
    stages = [
        f"  s{n}:\n    cmd: cp data/{n}.csv out{n}.txt\n    deps: [data/{n}.csv, nothing.py]\n    outs: [out{n}.txt]"
        for n in range(count)
    ]
    write(folder, "dvc.yaml", "stages:\n" + "\n".join(stages) + "\n")
    write(folder, "nothing.py", NOTHING)
    for number in range(count):
        write(folder, f"data/{number}.csv", f"{number}\n")


def many_files(folder: str, count: int) -> None:
    """A dataset of `count` small files, a thousand to a folder."""
    for number in range(count):
        if number % 1000 == 0:
            here = os.path.join(folder, "data", f"{number // 1000:03d}")
            os.makedirs(here)
        with open(os.path.join(here, f"{number % 1000:03d}.txt"), "w", encoding="utf-8") as stream:
            stream.write(f"{number}\n")
    write(folder, "mlplan.yaml", "version: 1\nproject: many-files\ndataset:\n  all: {source: data}\n")
    write(folder, ".gitignore", ".mlplan/\n")


def large_files(folder: str, count: int, size: int) -> None:
    """A dataset of `count` files of `size` bytes each, not yet hashed by anyone."""
    block = os.urandom(1 << 20)
    os.makedirs(os.path.join(folder, "data"))
    for number in range(count):
        with open(os.path.join(folder, "data", f"{number}.bin"), "wb") as stream:
            for start in range(0, size, len(block)):
                stream.write(start.to_bytes(8, "little") + number.to_bytes(8, "little") + block[16:])
    write(folder, "mlplan.yaml", "version: 1\nproject: large-files\ndataset:\n  all: {source: data}\n")


def one_run(folder: str) -> None:
    """A run that does nothing, in an environment of its own."""
    write(
        folder,
        "mlplan.yaml",
        """\
        version: 1
        project: one-run
        variables: {n: {default: "0"}}
        compute:
          here: {type: local}
        run:
          nothing:
            compute: here
            source: code
            script: nothing.py
            arguments: ["${{ var.n }}"]
            environment: {packages: [idna==3.10]}
        """,
    )
    write(folder, "code/nothing.py", NOTHING)
