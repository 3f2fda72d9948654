"""The files of a model that is given by a path of the project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlplan.errors import Refusal
from mlplan.kinds.dataset.sources import expand

if TYPE_CHECKING:
    from mlplan.source import Span


def model_files(root: str, file: str, place: Span | None = None) -> dict[str, str]:
    """{path in the model's tree: path here}: a file under its name, a folder's files under the folder's name.

    They are found as a dataset's are: links are followed. `place` is where the manifest names it. Raises: Refusal
    with all that is wrong with it.
    """
    found = expand([file], root, [place] if place else [])
    if found.problems:
        raise Refusal(found.problems)
    here = os.path.normpath(os.path.join(root, file))
    start = f"{os.path.basename(here)}/" if os.path.isdir(here) else ""
    return {start + path: there for path, there in found.files.items()}
