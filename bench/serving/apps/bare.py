"""The least that an ASGI application can be: the same predict, in the event loop, and nothing around it."""

import os

import joblib
import numpy as np
import orjson

model = joblib.load(os.path.join(os.path.dirname(__file__), "model", "model.pkl"))


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        body += event["body"]
        if not event["more_body"]:
            break
    labels = model.predict(np.array(orjson.loads(body)["data"]))
    await answer(send, orjson.dumps({"predict": labels}, option=orjson.OPT_SERIALIZE_NUMPY))


async def constant(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive())["more_body"]:
        pass
    await answer(send, b'{"predict":[0]}')


async def answer(send, body):
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
