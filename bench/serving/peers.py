"""The servers that are measured: what each needs installed, which files, and how it is started.

Every peer has an environment of its own, with the same scikit-learn. Their settings are their own defaults, one
worker. `{port}` in a command is where it has to listen, `{work}` the folder with the model and the files here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps")
SKLEARN = "scikit-learn==1.7.2"
RUNTIME = ("h11", "httptools", "uvloop", "orjson")
PYTHON = "{env}/bin/python"


class Peer(NamedTuple):
    """One server."""

    name: str  # as it stands in the table
    env: str  # peers with the same environment share it
    packages: Sequence[str]
    command: Sequence[str]
    path: str = "/score"
    body: str = "data"  # which form of the row it takes
    key: str = ""
    variables: Mapping[str, str] = {}
    config: Mapping[str, Any] | None = None  # of mlplan's: what of its configuration isn't the usual
    port: int = 0


def _mlplan(name: str, **config: Any) -> Peer:
    command = (PYTHON, "-I", "-B", "-u", "{work}/runtime", "serve", "{work}/service-{port}.json", "--live")
    return Peer(name, "mlplan", (SKLEARN, *RUNTIME), command, key=KEY, config=config)


BARE = "bare ASGI on uvicorn, predict in the loop"
RETIRED = "azureml-inference-server-http"
PLAIN = "mlplan, no code, one by one"
BATCHED = "mlplan, no code, batching (default)"
KEY = "bench-key-0123456789abcdef"

_PEERS = (
    _mlplan(PLAIN, settings={"batch": False}),
    _mlplan(BATCHED),
    _mlplan("mlplan, entry script", entry_script="score.py"),
    Peer(
        BARE,
        "asgi",
        (SKLEARN, "uvicorn", "httptools", "uvloop", "orjson", "fastapi"),
        (PYTHON, "-m", "uvicorn", "bare:app", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
    ),
    Peer(
        "bare ASGI on uvicorn, a constant",
        "asgi",
        (),
        (PYTHON, "-m", "uvicorn", "bare:constant", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
    ),
    Peer(
        RETIRED,
        "azml",
        (SKLEARN, "azureml-inference-server-http"),
        ("{env}/bin/azmlinfsrv", "--entry_script", "{work}/score.py", "--port", "{port}"),
        variables={"AZUREML_MODEL_DIR": "{work}/model"},
    ),
    Peer(
        "MLServer",
        "mlserver",
        (SKLEARN, "mlserver", "mlserver-sklearn", "uvloop<0.22"),  # newer ones don't start with it
        ("{env}/bin/mlserver", "start", "{work}/mlserver"),
        path="/v2/models/digits/infer",
        body="tensor",
        variables={"MLSERVER_HTTP_PORT": "{port}"},
    ),
    Peer(
        "FastAPI on uvicorn",
        "asgi",
        (),
        (PYTHON, "-m", "uvicorn", "typed:app", "--port", "{port}", "--log-level", "info"),
    ),
)

PEERS = tuple(peer._replace(port=18901 + place) for place, peer in enumerate(_PEERS))
"""Each on a port of its own, since they all run at the same time."""
