"""Where secrets come from: the environment, or a command of the user's own. Asked at the moment of use, kept nowhere.

The command stands in the environment as well and never in the manifest: a branch can't name a program that a plan
would start.
"""

from __future__ import annotations

import os
from typing import NamedTuple

PREFIX = "MLPLAN_SECRET_"
COMMAND = "MLPLAN_SECRETS_COMMAND"
"""Holds the words of a command. It is started without a shell, with the secret's name as one word more, and prints
the secret."""

PATIENCE_S = 60


class Answer(NamedTuple):
    """What was found of a secret."""

    value: str | None
    why: str = ""  # why there is no value: the end of a sentence


def ask(name: str) -> Answer:
    """A secret from its variable, else from the command. Empty counts as none: so CI gives a fork its secrets."""
    variable = variable_of(name)
    value = os.environ.get(variable)
    if value:
        return Answer(value)
    words = os.environ.get(COMMAND)
    if words:
        return _from_command(words, name)
    return Answer(None, f"{variable} is {'not set' if value is None else 'empty'}")


def secret_value(name: str) -> str:
    """A secret, at the moment of use. Raises: Refusal (MLP7030) where it isn't at hand."""
    answer = ask(name)
    if answer.value is not None:
        return answer.value
    from mlplan.codes import apply as codes
    from mlplan.errors import Refusal

    detail = f"`${{{{ secret.{name} }}}}` is asked for, and {answer.why}."
    hint = f"Provide it:\n    export {variable_of(name)}=...\n"
    hint += f"or name a command that prints it:\n    export {COMMAND}=..."
    raise Refusal([codes.MLP7030.diagnostic(detail, hint=hint)])


def with_secrets(text: str) -> str:
    """The text with each secret that it mentions in place. Raises: Refusal (MLP7030)."""
    from mlplan.manifest.references import find, substitute

    values = {mention: secret_value(mention.name) for mention in find(text) if mention.scope == "secret"}
    return str(substitute(text, values.__getitem__))


def variable_of(name: str) -> str:
    """The environment variable that provides a secret."""
    return PREFIX + name.upper().replace("-", "_")


def _from_command(text: str, name: str) -> Answer:
    """What the command prints, without the line's end. What it says on stderr is for the user and goes there."""
    import shlex
    import subprocess

    try:
        words = [*shlex.split(text), name]
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE_S, check=False
        )
        value = ended.stdout.decode().removesuffix("\n").removesuffix("\r")
    except subprocess.TimeoutExpired:
        return Answer(None, f"the command of {COMMAND} gave no answer within {PATIENCE_S} s")
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError, and would show what it read
        why = getattr(error, "strerror", None) or "it can't be read"
        return Answer(None, f"the command of {COMMAND} can't be used: {why}")
    if ended.returncode != 0:
        return Answer(None, f"the command of {COMMAND} ended with {ended.returncode}")
    return Answer(value) if value else Answer(None, f"the command of {COMMAND} printed nothing")
