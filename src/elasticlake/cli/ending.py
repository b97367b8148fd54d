"""How whatever goes wrong in a command reaches the person: one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import typer

from elasticlake.cli.errors import CommandFailed, ExitCode
from elasticlake.cli.output import printable
from elasticlake.errors import ElasticLakeError, how_to_install

PACKAGE = Path(__file__).parents[1]

TRACEBACK = "ELASTICLAKE_TRACEBACK"
"""The variable that, if it is set, has the traceback written before the line."""

EXTRAS = {
    "greenlet": "server,postgres",
    "obstore": "server,cloud",
    "opentelemetry": "server,otel",
    "psycopg": "server,postgres",
}
"""What is installed for a library that is missing; "server" for every other."""


THREADED = "obstore"
"""The library whose threads come back to Python when they will. One that comes while the interpreter takes itself apart
aborts the process, whatever the exit code was to be (CPython before 3.14; pyo3-async-runtimes knows of it)."""


def leave(code: int) -> NoReturn:
    """End the process with its exit code. For every process that may have used an object store."""
    if THREADED not in sys.modules:
        raise SystemExit(code)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or ExitCode.REFUSED
    os._exit(code)


@contextmanager
def faults_told() -> Iterator[None]:
    """Raises `typer.Exit` for whatever goes wrong, once its line is written."""
    try:
        yield
    except CommandFailed as failure:
        raise _ended(str(failure), failure.exit_code) from None
    except ElasticLakeError as error:  # `serve`, `check` and others work on the domain itself
        raise _ended(str(error), ExitCode.REFUSED) from None
    except BrokenPipeError:
        _let_go_of_stdout()
        raise typer.Exit(ExitCode.NO_READER) from None
    except OSError as error:
        _let_go_of_stdout()
        about = f": {error.filename}" if error.filename else ""
        raise _ended(f"{error.strerror or error}{about}", ExitCode.REFUSED) from None
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "elasticlake"):
            raise _ended(_where(error), ExitCode.FAULT) from None
        line = f"this needs the library {error.name}: {how_to_install(EXTRAS.get(library, 'server'))}"
        raise _ended(line, ExitCode.REFUSED) from None
    except Exception as error:
        if isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
            raise  # wrong usage and orderly ends, which typer words itself
        raise _ended(_where(error), ExitCode.FAULT) from None


def _where(error: Exception) -> str:
    """What was not foreseen, and the line of ours that met it: enough to report, without a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"an answer that nobody foresaw, or a fault of elasticlake itself: {type(error).__name__}: {error}{place}"


def _ended(line: str, exit_code: ExitCode) -> typer.Exit:
    with suppress(OSError):  # whoever has nowhere to read it has the exit code
        if os.environ.get(TRACEBACK):
            traceback.print_exc()  # of what is being handled
        typer.echo(f"elasticlake: {printable(line)}", err=True)
    return typer.Exit(int(exit_code))


def _let_go_of_stdout() -> None:
    """What could not be written is not tried again when the interpreter ends, which would complain."""
    if sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
