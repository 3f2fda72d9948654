"""`AMLResponse`: an answer with a status and headers of its own."""

from __future__ import annotations

import sys
from typing import Any

# The runtime under whatever name it was started.
raw_http: Any = vars(sys.modules["_mlplan_runtime"])["raw_http"]

AMLResponse = raw_http.AMLResponse
