"""One HTTP question to a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlplan.codes import apply as codes
from mlplan.errors import Refusal


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    text: str


def ask(
    url: str, path: str, *, key: str = "", body: bytes | None = None, timeout_s: float = 120.0, is_test: bool = False
) -> Answer:
    """The answer to a GET, or to a POST of a JSON body. A test isn't kept among what the service collects.

    Raises: Refusal where nobody answers.
    """
    import httpx  # only where a service is asked

    headers = {"authorization": f"Bearer {key}"} if key else {}
    if body is not None:
        headers["content-type"] = "application/json"
    if is_test:
        headers["x-mlplan-collect"] = "no"
    try:
        # Straight to the service: it is on this machine or named in the manifest, no proxy stands between.
        with httpx.Client(trust_env=False, timeout=timeout_s) as client:
            response = client.request("GET" if body is None else "POST", url + path, headers=headers, content=body)
    except httpx.HTTPError as error:
        raise Refusal([codes.MLP7034.diagnostic(f"{url}{path} doesn't answer: {error}.")]) from error
    return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.text)
