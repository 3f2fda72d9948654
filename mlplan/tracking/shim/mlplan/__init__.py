"""`mlplan` as a script of a run sees it: `log_metric`, without what mlplan itself needs.

Where the whole of mlplan is installed in the script's environment, its other modules are found as ever.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplan.tracking.shim._mlplan_tracking import log_metric
else:
    from _mlplan_tracking import log_metric

__all__ = ["log_metric"]

__path__ += [
    folder
    for folder in (os.path.join(entry, "mlplan") for entry in sys.path)
    if os.path.isfile(os.path.join(folder, "__init__.py")) and folder not in __path__
]
