"""The headers of a request beside its data."""

import json


def init():
    pass


def run(raw_data, request_headers):
    data = json.loads(raw_data)["data"]
    return {"result": sum(data), "id": request_headers.get("X-Ms-Request-Id")}
