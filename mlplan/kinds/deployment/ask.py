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
    import http.client  # only where a service is asked; a fifth of the time that a larger client takes to be loaded
    from urllib.parse import urlsplit

    headers = {"authorization": f"Bearer {key}"} if key else {}
    if body is not None:
        headers["content-type"] = "application/json"
    if is_test:
        headers["x-mlplan-collect"] = "no"
    place = urlsplit(url)
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    # Straight to the service: it is on this machine or named in the manifest, no proxy stands between.
    connection = connect(place.hostname or "", place.port, timeout=timeout_s)
    try:
        connection.request("GET" if body is None else "POST", place.path + path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise Refusal([codes.MLP7034.diagnostic(f"{url}{path} doesn't answer: {why}.")]) from error
    finally:
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
