"""The code of a run or an inference: which files of its `source` count, by what they mean, and what is packed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.fingerprint import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplan.kinds.protocol import Reading


class Code(NamedTuple):
    """What was found in a source folder."""

    parts: Mapping[str, Part]  # by the file's path from the manifest's folder
    files: Mapping[str, str]  # the whole snapshot: {path in it: path here}
    note: str  # "snapshot: 3 files, 12 kB"
    notes: tuple[str, ...]  # more to know: a dynamic import


NO_CODE = Code({}, {}, "", ())


def read_code(reading: Reading, source: str, scripts: tuple[str, ...]) -> Code:
    """The code below `source` (relative to the manifest's folder).

    A Python file counts when one of the scripts reaches it by imports, by its meaning; any other file by its bytes.
    Without scripts (a command of another program) every Python file counts.
    """
    from mlplan.fingerprint.reach import reach
    from mlplan.kinds.run.snapshot import snapshot

    folder = os.path.join(reading.manifest.root, source)
    packed = snapshot(folder)
    files = reading.files
    reached = reach(scripts, lambda path: files.python(packed.files[path]) if path in packed.files else None)
    parts: dict[str, Part] = {}
    for path, here in packed.files.items():
        name = path if source == "." else f"{source.rstrip('/')}/{path}"
        if not path.endswith(".py"):
            parts[name] = Part("result", files.digest(here))
        elif reached.everything or path in reached.files:
            meaning = files.python(here)
            parts[name] = Part("result", meaning.digest if meaning else None)
    return Code(parts, packed.files, packed.note, (reached.why,) if reached.everything and reached.why else ())
