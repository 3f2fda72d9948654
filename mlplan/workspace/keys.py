"""The user's key, by which the workspace's own is wrapped: from the environment, or from a command that prints it.

    MLPLAN_WORKSPACE_KEY            32 random bytes as base64, as `openssl rand -base64 32` prints them
    MLPLAN_WORKSPACE_KEY_COMMAND    a command that prints the same: of a password manager, or of a cloud's key service

With `NEW_KEY` in place of `KEY`: the key that is to take its place (`mlplan workspace rotate-key`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from mlplan.codes import state as codes
from mlplan.errors import Refusal
from mlplan.workspace.sealing import KEY_BYTES

KEY = "MLPLAN_WORKSPACE_KEY"
NEW_KEY = "MLPLAN_WORKSPACE_NEW_KEY"


def user_key(environ: Mapping[str, str], name: str = KEY) -> bytes | None:
    """The key that this environment provides, or None.

    Raises: Refusal MLP4409 for what is no key, MLP4410 where what encrypts isn't installed. Neither shows the key."""
    command = environ.get(f"{name}_COMMAND", "")
    text = environ.get(name) or (_printed(command, f"{name}_COMMAND") if command else "")
    if not text:
        return None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        hint = "make one, keep it where your secrets are, and provide that:\n\n    openssl rand -base64 32"
        raise Refusal([codes.MLP4409.diagnostic(f"{name} isn't 32 bytes as base64.", hint=hint)])
    try:
        import cryptography  # noqa: F401  # told now, and not in the middle of something
    except ImportError as error:
        hint = 'install what it needs:\n\n    python -m pip install "mlplan[encryption]"'
        detail = f"{name} is set, and the package `cryptography` isn't installed."
        raise Refusal([codes.MLP4410.diagnostic(detail, hint=hint)]) from error
    return key


def _printed(command: str, name: str) -> str:
    import shlex
    import subprocess

    try:
        ended = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        code = getattr(error, "returncode", None)
        how = "can't be run or doesn't end" if code is None else f"ended with exit code {code}"
        detail = f"The command in {name} {how}."  # what it printed may be a key
        raise Refusal([codes.MLP4409.diagnostic(detail, hint="run it by hand, and see what it says")]) from None
    return ended.stdout
