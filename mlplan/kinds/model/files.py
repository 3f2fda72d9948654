"""The files of a model that is given by a path of the project."""

from __future__ import annotations

import os


def model_files(root: str, file: str) -> dict[str, str]:
    """{path in the model's tree: path here}: a file under its name, a folder's files under the folder's name."""
    here = os.path.normpath(os.path.join(root, file))
    top = os.path.basename(here)
    if not os.path.isdir(here):
        return {top: here}
    found = {}
    for folder, _, names in os.walk(here):
        for name in names:
            path = os.path.join(folder, name)
            found[f"{top}/{os.path.relpath(path, here).replace(os.sep, '/')}"] = path
    return found
