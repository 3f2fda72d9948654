"""The servers that are measured: what each needs installed, which files, and how it is started.

Every peer has an environment of its own, with the same scikit-learn. Their settings are their own defaults, one
worker. `{port}` in a command is where it has to listen, `{work}` the folder with the model and the files here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

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


def _mlplan(name: str, config: str, *, key: str = "") -> Peer:
    command = (PYTHON, "-I", "-B", "-u", "{work}/runtime", "serve", "{work}/" + config, "--live")
    return Peer(name, "mlplan", (SKLEARN, *RUNTIME), command, key=key)


BARE = "bare ASGI on uvicorn, predict in the loop"
RETIRED = "azureml-inference-server-http"
KEY = "bench-key-0123456789abcdef"

PEERS = (
    _mlplan("mlplan, no code, one by one", "plain.json", key=KEY),
    _mlplan("mlplan, no code, batching (default)", "batched.json", key=KEY),
    _mlplan("mlplan, entry script", "script.json", key=KEY),
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
