"""The environment variables that a process of mlplan's gets: a few of the caller's, and limits on threads."""

from __future__ import annotations

import math
from collections.abc import Mapping

_KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
"""Who and where one is, how text is written, and how to get through to the network. Nothing else decides a result
without being written in the manifest."""

_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *(
        "VECLIB_MAXIMUM_THREADS",
        "RAYON_NUM_THREADS",
        "POLARS_MAX_THREADS",
        "LOKY_MAX_CPU_COUNT",
        "TF_NUM_INTRAOP_THREADS",
    ),
)


def kept_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the caller's environment is passed on."""
    return {name: environ[name] for name in _KEPT if name in environ}


def thread_count(cpu: float | None) -> int | None:
    """How many threads a process with so many cores starts; None: as many as it likes."""
    return None if cpu is None else max(1, math.ceil(cpu))


def thread_limits(cpu: float | None) -> dict[str, str]:
    """What tells the common numeric libraries how many threads to start."""
    count = thread_count(cpu)
    return {} if count is None else dict.fromkeys(_THREADS, str(count))
