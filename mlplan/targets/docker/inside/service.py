"""The first process of a service's container. It runs the scoring runtime beside it, and lets it out when told to.

    service.py serve      the container's own command
    service.py go-live    said into a running container: take clients from the door from now on
    service.py retire     said into a running container: take no new clients, answer those who are there, and end
    service.py probe      exit code 0 where the runtime is ready: the image's health check

A container that mlplan started has a folder RUN, with the runtime's configuration in it. Its runtime begins as a
candidate: it answers on a private port, to which the container's port 5002 leads. `go-live` makes it accept clients
from the socket that the door (`door.py`) hands over, and is remembered: when the engine starts the container again,
it goes live by itself. A door that goes away takes its socket along; then this process ends, and the engine's restart
policy brings it back, to ask the new door.

An image that somebody runs by hand has no such folder: then the runtime serves at once on port 5001, with what the
image says of the service and the models that are in it.

What the runtime prints goes to the container's log, through this process where there are secrets to mask in it; they
stand in the folder RUN too.

Standard library alone, Python 3.9 or newer, nothing of mlplan but the runtime and `masking.py` beside this file.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

HERE = os.path.dirname(os.path.abspath(__file__))
if TYPE_CHECKING:
    from mlplan.machine.masking import carry
    from mlplan.serving.control import ask, connect
else:
    sys.path.insert(0, HERE)  # Python is told to trust no path, not even this one
    from masking import carry
    from mlplan_serving.control import ask, connect

RUN = "/run/mlplan/replica"
CONFIG = f"{RUN}/service.json"
CONTROL = f"{RUN}/control.sock"
OWN = f"{RUN}/own.sock"
LIVE = f"{RUN}/live"  # it went live, by the door whose path stands in it
DOOR = f"{RUN}/door.json"  # which door is this service's
SECRETS = f"{RUN}/secrets.json"  # a list of what is to be masked
BY_HAND = "/tmp/service.json"
DESCRIPTION = "/opt/mlplan/service.json"
PRIVATE_PORT = 5002
DOOR_GONE = 75
"""The exit code where the door went away."""
POLL_S = 0.1
LINGER_S = 2.0  # for the last of the runtime's output
watched: set[str] = set()
"""The doors that this process ends with."""


def main(command: str) -> int:
    """Runs one command; its exit code."""
    if command == "serve":
        return serve() if os.path.exists(CONFIG) else serve_by_hand()
    if command == "probe":
        return probe()
    if command in ("go-live", "retire"):
        try:
            answer = ask(OWN, {"do": "go-live"}, timeout_s=60.0) if command == "go-live" else retire()
        except (OSError, ValueError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer))
        return 0 if "phase" in answer else 1
    sys.stderr.write("usage: service.py serve | go-live | retire | probe\n")
    return 2


def serve() -> int:
    """Runs the runtime to its end; its exit code."""
    with open(SECRETS, encoding="utf-8") as stream:
        secrets = json.load(stream)
    output = subprocess.PIPE if secrets else None
    runtime = subprocess.Popen(
        [sys.executable, "-I", "-B", "-u", HERE, "serve", CONFIG],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if secrets else None,
    )
    carrier = threading.Thread(target=mask, args=(runtime, secrets), daemon=True)
    carrier.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runtime.send_signal(signal.SIGTERM))
    threading.Thread(target=relay, daemon=True).start()
    threading.Thread(target=listen_to_mlplan, daemon=True).start()
    if os.path.exists(LIVE):
        threading.Thread(target=go_live_again, args=(runtime,), daemon=True).start()
    exit_code = runtime.wait()
    carrier.join(LINGER_S)
    return exit_code


def mask(runtime: subprocess.Popen[bytes], secrets: list[str]) -> None:
    """Carries what the runtime prints to the container's log, where there is something to mask in it."""
    if runtime.stdout is not None:
        carry(runtime.stdout.fileno(), 1, secrets)


def listen_to_mlplan() -> None:
    """Does what comes over the unix socket OWN, one message to a connection."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(OWN)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(OWN)
    os.chmod(OWN, 0o600)
    server.listen(4)
    while True:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)  # the one thing that can be said is go-live
            connection.sendall(json.dumps(go_live()).encode() + b"\n")


def go_live() -> dict[str, Any]:
    """Lets the runtime accept clients from the door; what it answers."""
    try:
        with open(DOOR, encoding="utf-8") as stream:
            door = str(json.load(stream)["path"])
        answer = dict(ask(CONTROL, {"do": "go-live", "from": door}, timeout_s=30.0))
    except (OSError, ValueError, KeyError) as error:
        return {"error": str(error)}
    if answer.get("phase") == "live":
        with open(LIVE, "w", encoding="utf-8") as stream:
            stream.write(door)
        if door not in watched:
            watched.add(door)
            threading.Thread(target=leave_with, args=(door,), daemon=True).start()
    return answer


def retire() -> dict[str, Any]:
    """Has the runtime make room as for a successor: a client with an idle connection may ask once more over it."""
    channel = connect(CONTROL, 10.0)
    try:
        channel.send({"do": "hand-over"})
        answer, descriptors = channel.next()
        for descriptor in descriptors:
            os.close(descriptor)  # the door has it too
        if descriptors:
            channel.send({"do": "retire"})
            with contextlib.suppress(OSError):
                channel.next()  # the end of the channel: it was heard
        return dict(answer)
    finally:
        channel.close()


def go_live_again(runtime: subprocess.Popen[bytes]) -> None:
    """Goes live as soon as the runtime is ready and the door is there: the container was started again."""
    while runtime.poll() is None and go_live().get("phase") != "live":
        time.sleep(POLL_S)


def leave_with(door: str) -> None:
    """Ends this process when the door does: a socket that it handed over is closed to clients then."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as watch:
        watch.connect(door)
        watch.recv(1)
    sys.stderr.write("mlplan service: the door is gone; starting again\n")
    os._exit(DOOR_GONE)


def relay() -> None:
    """Leads the container's private port to the runtime's, which is open to this container alone."""
    server = socket.create_server(("0.0.0.0", PRIVATE_PORT))
    while True:
        client, _ = server.accept()
        threading.Thread(target=pass_on, args=(client,), daemon=True).start()


def pass_on(client: socket.socket) -> None:
    """Passes bytes both ways until one side ends. A client that comes too early is told so by a closed connection."""
    try:
        status = ask(CONTROL, {"do": "status"})
        if status["phase"] not in ("ready", "live"):
            raise OSError("not ready")
        _, _, port = str(status["candidate_url"]).rpartition(":")
        runtime = socket.create_connection(("127.0.0.1", int(port)))
    except (OSError, ValueError, KeyError):
        client.close()
        return
    for side in (client, runtime):  # each piece goes on at once: a request in two of them would wait for 40 ms
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=copy, args=(runtime, client), daemon=True)
    back.start()
    copy(client, runtime)
    back.join()
    client.close()
    runtime.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copies bytes until there are no more, and says so to the other side."""
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def probe() -> int:
    """0 where the runtime is ready to answer."""
    import urllib.request

    try:
        if os.path.exists(CONFIG):
            url = str(ask(CONTROL, {"do": "status"}, timeout_s=2.0)["candidate_url"])
        else:
            url = f"http://127.0.0.1:{description()['port']}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{url}/health/ready", timeout=3.0) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, ValueError, KeyError):
        return 1


def serve_by_hand() -> int:
    """Becomes the runtime, with a configuration made of what the image has; the exit code where it can't."""
    config = description()
    frameworks = config.pop("frameworks")
    models = os.path.join(config["app_root"], "azureml-models")
    config["models"] = [
        {
            "name": name,
            "version": version,
            "digest": "",
            "path": os.path.join(models, name, version),
            "framework": frameworks.get(name, ""),
        }
        for name in sorted(os.listdir(models))
        for version in sorted(os.listdir(os.path.join(models, name)))
    ]
    config["keys_file"] = os.environ.get("MLPLAN_KEYS_FILE") if config["auth"] == "key" else None
    if config["auth"] == "key" and not config["keys_file"]:
        sys.stderr.write("This service asks for keys: mount a file with them and name it in MLPLAN_KEYS_FILE.\n")
        return 2
    with open(BY_HAND, "w", encoding="utf-8") as stream:
        json.dump(config, stream)
    runtime = [sys.executable, "-I", "-B", "-u", HERE, "serve", BY_HAND, "--live"]
    return os.execv(sys.executable, runtime)


def description() -> dict[str, Any]:
    """What the image says of its service."""
    with open(DESCRIPTION, encoding="utf-8") as stream:
        found: dict[str, Any] = json.load(stream)
        return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
