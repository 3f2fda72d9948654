"""Draws `docs/quickstart.svg`: a plan and an apply of examples/quickstart as a terminal really shows them.

    uv run --with pyte --with-editable . docs/picture.py

The commands run in a pseudo-terminal, `pyte` plays their output back to a screen, rich exports that as SVG.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
from itertools import groupby

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 84, 200
PROMPT = Style(color="green", bold=True)


def play(folder: str, words: str, answer: bytes = b"") -> list[Text]:
    """What the screen shows after a command, line by line; `answer` is typed when it asks."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": "60"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        ["mlplan", *words.split()[1:]], cwd=folder, env=environment, stdin=follower, stdout=follower, stderr=follower,
        start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    asked, seen = False, b""
    while process.poll() is None or select.select([leader], [], [], 0.2)[0]:
        if not select.select([leader], [], [], 0.1)[0]:
            if answer and not asked and seen.rstrip().endswith((b"]", b":", b"?")):
                time.sleep(0.3)
                os.write(leader, answer)
                asked = True
            continue
        try:
            seen = os.read(leader, 1 << 16)
        except OSError:
            break
        stream.feed(seen)
    assert process.wait() in (0, 2), f"{words} failed"
    lines = [line_of(screen, row) for row in range(HEIGHT)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return [Text.assemble(("$ ", PROMPT), (words, Style(bold=True))), *lines, Text("")]


def line_of(screen: pyte.Screen, row: int) -> Text:
    cells = [screen.buffer[row][column] for column in range(WIDTH)]
    line = Text()
    for (name, bold, italic), alike in groupby(cells, key=lambda cell: (cell.fg, cell.bold, cell.italics)):
        # Each gap on its own: not every renderer keeps spaces at the start of a text.
        for piece in re.findall(r" {2,}|^ |\S+(?: \S+)*| ", "".join(cell.data for cell in alike)):
            line.append(piece, Style(color=colour(name), bold=bold, italic=italic))
    line.rstrip()
    return line


def colour(name: str) -> str | None:
    """pyte's name of a colour in rich's words."""
    if name == "default":
        return None
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    bright, base = name.startswith("bright"), name.removeprefix("bright")
    base = {"brown": "yellow"}.get(base, base)
    return f"bright_{base}" if bright else base


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "quickstart")
        shutil.copytree(os.path.join(HERE, "..", "examples", "quickstart"), folder)
        shown: list[Text] = []
        try:
            shown += play(folder, "mlplan apply", b"yes\n")
            shown += play(folder, "mlplan service score digits -d @testdata.json")
            path = os.path.join(folder, "mlplan.yaml")
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text.replace("default: 0.1,", "default: 0.5,"))
            shown.append(Text("# after an edit of mlplan.yaml: regularization 0.1 -> 0.5", Style(dim=True)))
            shown += play(folder, "mlplan plan")
        finally:
            subprocess.run(["mlplan", "destroy", "-y"], cwd=folder, capture_output=True, check=False)
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: SIM115 - nothing is written
    for line in shown:
        console.print(line, soft_wrap=True)
    console.save_svg(os.path.join(HERE, "quickstart.svg"), title="examples/quickstart")


if __name__ == "__main__":
    main()
