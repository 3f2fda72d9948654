"""Serves one service; see the package's docstring. Standard library alone, since it is copied and run elsewhere."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import sys
import threading
import time
from typing import Any


class Service:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.phase = "starting"
        self.private = socket.create_server(("127.0.0.1", 0))
        self.bound = False
        with contextlib.suppress(OSError):
            self.bind()

    def bind(self) -> None:
        self.public = socket.socket()
        self.public.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.public.bind((self.config["host"], self.config["port"]))
        self.bound = True

    def serve(self, listener: socket.socket) -> None:
        listener.listen(64)
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            if self.phase == "draining":
                connection.close()
                return
            threading.Thread(target=self.answer, args=(connection, address), daemon=True).start()

    def answer(self, connection: socket.socket, address: Any) -> None:
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("x-mlplan-digest", service.config["digest"])
                self.send_header("content-length", "7")
                self.end_headers()
                self.wfile.write(b"Healthy")

            def log_message(self, *args: Any) -> None:
                pass

        with connection:
            Handler(connection, address, None)  # type: ignore[arg-type]  # there is no server

    def control(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                answer, descriptors = self.do(json.loads(line))
                data = json.dumps(answer).encode() + b"\n"
                if descriptors:
                    socket.send_fds(connection, [data], descriptors)
                else:
                    connection.sendall(data)
                if self.phase == "draining" and not descriptors:
                    os._exit(0)

    def do(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        if request["do"] == "status":
            host, port = self.private.getsockname()
            error = "init() raised" if self.phase == "failed" else ""
            answer = {"pid": os.getpid(), "phase": self.phase, "bound": self.bound, "error": error}
            return {**answer, "candidate_url": f"http://{host}:{port}"}, []
        if request["do"] == "go-live":
            return self.go_live(request["from"]), []
        if request["do"] == "hand-over":
            return {}, [self.public.fileno()]
        self.phase = "draining"  # stop, retire
        return {"phase": self.phase}, []

    def go_live(self, old: str | None) -> dict[str, Any]:
        if self.config["settings"].get("no_go_live"):
            os._exit(9)
        if old is not None:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as predecessor:
                predecessor.connect(os.path.relpath(old))  # a whole path can be too long for a socket
                predecessor.sendall(b'{"do": "hand-over"}\n')
                _, descriptors, _, _ = socket.recv_fds(predecessor, 4096, 1)
                self.public = socket.socket(fileno=descriptors[0])
                threading.Thread(target=self.serve, args=(self.public,), daemon=True).start()
                predecessor.sendall(b'{"do": "retire"}\n')
                predecessor.recv(4096)
        else:
            if not self.bound:
                self.bind()
            threading.Thread(target=self.serve, args=(self.public,), daemon=True).start()
        self.phase = "live"
        return {"phase": "live"}


def main() -> int:
    with open(sys.argv[2], encoding="utf-8") as stream:
        config = json.load(stream)
    service = Service(config)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.chdir(os.path.dirname(config["control"]))
    control.bind("control.sock")
    control.listen(16)
    threading.Thread(target=service.serve, args=(service.private,), daemon=True).start()
    print("loading the model of", config["name"], flush=True)
    settings = config["settings"]
    if settings.get("fail"):
        print("ValueError: no such weights", flush=True)
        time.sleep(settings["fail"])
        return 3
    if not settings.get("stuck"):
        service.phase = "ready"
    while True:
        connection, _ = control.accept()
        threading.Thread(target=service.control, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    raise SystemExit(main())
