"""The program: argv in, exit code out. The only place that turns a Refusal into an exit code.

`mlplan plan` is run hundreds of times a day with nothing to do, and reading flags by typer alone takes longer than
all of its work: its well-known flags are read by `quick.py`. Whatever that doesn't know goes to typer
(`commands.py`), which does the same with the same functions, and has the help.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from mlplan.cli.streams import Unwritten, drop_output, ready_streams
from mlplan.errors import ExitCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; what it returns is the exit code of the process."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        ready_streams()
        # A plan makes very many values and hardly a circle of them: to look for circles less often saves a tenth.
        gc.set_threshold(100_000, 20, 20)
    code = guarded(lambda: dispatch(words))
    if argv is None:
        leave(code)
    return code


def dispatch(words: list[str]) -> int:
    """The command that the words name."""
    from mlplan.cli.globals import Globals, called_with
    from mlplan.cli.quick import read_plan

    quick = read_plan(words)
    called_with(quick[0] if quick else Globals())
    if quick is not None:
        from mlplan.cli.plan import run

        return run(*quick)
    from mlplan.cli.commands import run_typer

    return run_typer(words)


def guarded(command: Callable[[], int]) -> int:
    """The exit code of a command; a Refusal is told with its diagnostics, anything unforeseen as a bug."""
    try:
        return int(command())
    except Refusal as refusal:
        from mlplan.cli.problems import tell_problems

        tell_problems(refusal.diagnostics, refusal.sources)
        return int(refusal.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # whoever read our output went away (`mlplan plan | head`): nothing to complain about
        drop_output()
        return int(ExitCode.OK)
    except Unwritten as error:
        return tell_unwritten(error)
    except Exception as error:
        from mlplan.cli.problems import tell_problems
        from mlplan.errors import bug

        tell_problems([bug(error, "while a command ran")])
        return int(ExitCode.BUG)


def tell_unwritten(error: Unwritten) -> int:
    """Says that standard output is full, or whatever it is."""
    from mlplan.cli.globals import tell

    tell(f"error: standard output can't be written: {error}.")
    drop_output()
    return int(ExitCode.FAILED)


def leave(code: int) -> None:
    """Ends the process with all output written, without tearing every module down first."""
    import os
    from contextlib import suppress

    from mlplan.cli.globals import flush

    try:
        flush()
    except BrokenPipeError:
        pass
    except Unwritten as error:
        code = tell_unwritten(error)
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
