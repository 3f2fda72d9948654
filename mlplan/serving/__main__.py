"""The runtime's own command line: `serve CONFIG [--live]`, `probe CONFIG`; and `worker`, for the supervisor alone."""

from __future__ import annotations

import sys

_USAGE = "usage: serve CONFIG [--live] | probe CONFIG\n"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; its exit code."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command == "serve" and rest and rest[1:] in ([], ["--live"]):
        return _serve(rest[0], live="--live" in rest)
    if command == "probe" and len(rest) == 1:
        return _probe(rest[0])
    if command == "worker" and len(rest) == 5:
        from .worker import Inherited
        from .worker import main as work

        index, channel, listener, metrics = (int(number) for number in rest[1:])
        return work(rest[0], Inherited(index, channel, listener, metrics))
    sys.stderr.write(_USAGE)
    return 2


def _serve(path: str, *, live: bool) -> int:
    from .settings import ConfigError, read_config
    from .supervisor import Supervisor

    try:
        config = read_config(path)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return Supervisor(config, path, live=live).run()


def _probe(path: str) -> int:
    """0 where the service says on its public port that it is ready."""
    import http.client

    from .settings import read_config

    config = read_config(path)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    connection = http.client.HTTPConnection(host, config.port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
