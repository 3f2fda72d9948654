"""What a job finds in its environment: where its outputs go, who it is, and the packages that a script may import.

For every target: the same variables, with the paths that the job sees.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplan.targets.protocols import JobSpec

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim")
"""The folder for PYTHONPATH: packages `mlplan` and `azureml`, standard library alone, Python 3.9 or newer."""


def tracking_variables(spec: JobSpec, outputs: str, *, shim: str = SHIM) -> dict[str, str]:
    """The variables by which scripts report. `outputs` and `shim` are paths as the job sees them."""
    project = spec.labels.get("project", "")
    return {
        "PYTHONPATH": shim,
        "MLPLAN_OUTPUTS": outputs,
        "MLPLAN_RUN_ID": spec.id,
        "MLPLAN_RUN_NAME": spec.name,
        "MLPLAN_PROJECT": project,
        "AZUREML_RUN_ID": spec.id,
        "AZUREML_ARM_PROJECT_NAME": spec.name,
        "AZUREML_ARM_WORKSPACE_NAME": project,
    }
