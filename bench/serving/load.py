"""Asks a server as fast as it answers, over connections that are kept: by wrk, or by a small loader of our own.

The loader of our own is slower than wrk and takes more of the machine; the table says which of the two it was.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from time import perf_counter
from typing import NamedTuple

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


class Load(NamedTuple):
    """What came of asking for a while."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def ask(url_port: int, path: str, body: bytes, key: str, connections: int, seconds: float) -> Load:
    """Asks with so many connections for so long."""
    if shutil.which("wrk"):
        return _by_wrk(url_port, path, body, key, connections, seconds)
    return asyncio.run(_by_hand(url_port, path, body, key, connections, seconds))


def loader() -> str:
    """Which of the two it is."""
    return "wrk" if shutil.which("wrk") else "a loader in Python"


def _by_wrk(port: int, path: str, body: bytes, key: str, connections: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "body"), "wb") as stream:
            stream.write(body)
        script = os.path.join(folder, "post.lua")
        with open(script, "w", encoding="utf-8") as text:
            text.write(
                f'local f = io.open("{folder}/body"); wrk.body = f:read("*a"); f:close()\n'
                'wrk.method = "POST"; wrk.headers["content-type"] = "application/json"\n'
                + (f'wrk.headers["authorization"] = "Bearer {key}"\n' if key else "")
            )
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script]
        said = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True
        ).stdout
    return Load(
        float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        _milliseconds(_found(r"(?m)^ +50% +(\S+)", said)),
        _milliseconds(_found(r"(?m)^ +99% +(\S+)", said)),
        sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
        + sum(int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said)),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"no {pattern} in:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]  # wrk's own form
    return float(number) * _UNITS[unit]


async def _by_hand(port: int, path: str, body: bytes, key: str, connections: int, seconds: float) -> Load:
    authorization = f"authorization: Bearer {key}\r\n" if key else ""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{authorization}"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    failed = 0
    until = perf_counter() + seconds

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while perf_counter() < until:
            started = perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(perf_counter() - started)
            failed += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    times.sort()
    return Load(len(times) / seconds, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, failed)
