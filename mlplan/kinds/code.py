"""The code of a run or an inference: which files of its `source` count, by what they mean, and what is packed.

Everything is packed, so that a script finds what lies beside it. Data counts once: a file of a dataset that the
resource refers to counts by that, and not as code too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mlplan.fingerprint import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplan.kinds.protocol import Reading
    from mlplan.manifest.resolved import Manifest, Resource


class Code(NamedTuple):
    """What was found in a source folder."""

    parts: Mapping[str, Part]  # by the file's path from the manifest's folder
    files: Mapping[str, str]  # the whole snapshot: {path in it: path here}
    note: str  # "snapshot: 3 files, 12 kB"
    notes: tuple[str, ...]  # more to know: a dynamic import


NO_CODE = Code({}, {}, "", ())


def read_code(reading: Reading, resource: Resource, scripts: tuple[str, ...]) -> Code:
    """The code below the resource's `source`.

    A Python file counts when one of the scripts reaches it by imports, by its meaning; any other file by its bytes,
    but for data that the resource refers to and the manifest itself. Without scripts (a command of another program)
    every Python file counts.
    """
    from mlplan.fingerprint.reach import reach
    from mlplan.kinds.run.snapshot import snapshot

    source = str(resource.spec["source"])
    packed = snapshot(os.path.join(reading.manifest.root, source))
    is_counted, plain = counted_elsewhere(resource, reading.manifest), os.path.normpath(source)
    files = reading.files
    reached = reach(scripts, lambda path: files.python(packed.files[path]) if path in packed.files else None)
    parts: dict[str, Part] = {}
    for path, here in packed.files.items():
        name = name_of(source, path)
        if not path.endswith(".py"):
            if not is_counted(path if plain == "." else f"{plain}/{path}"):
                parts[name] = Part("result", files.digest(here))
        elif reached.everything or path in reached.files:
            meaning = files.python(here)
            parts[name] = Part("result", meaning.digest if meaning else None)
    return Code(parts, packed.files, packed.note, (reached.why,) if reached.everything and reached.why else ())


def name_of(source: str, path: str) -> str:
    """The path of a packed file from the manifest's folder."""
    return path if source == "." else f"{source.rstrip('/')}/{path}"


def counted_elsewhere(resource: Resource, manifest: Manifest) -> Callable[[str], bool]:
    """Says of a path (normal, from the manifest's folder) whether it is the manifest, or data of a dataset that the
    resource refers to."""
    addresses = {reference.address for reference in resource.references if reference.address.kind == "dataset"}
    named = [_data_of(manifest.resources[address]) for address in addresses if address in manifest.resources]
    own = os.path.basename(manifest.file)
    return lambda path: path == own or any(is_data(path) for is_data in named)


def _data_of(dataset: Resource) -> Callable[[str], bool]:
    from mlplan.kinds.dataset.sources import named_by

    return named_by(dataset.spec["source"])
