"""Child processes that listen on a free loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_SECONDS = 30.0


class NotStarted(RuntimeError):
    """A child process ended, or did not listen, before it could be used; the message ends with its last output."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def refused_port(port: int | None = None) -> Iterator[int]:
    """A loopback port that refuses connections and that nobody else takes, for as long as the block runs."""
    with socket.socket() as holder:
        # The port of a receiver that has just ended has connections that linger.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port or 0))
        yield int(holder.getsockname()[1])


def python(*arguments: str) -> list[str]:
    """This interpreter's command line, which finds the same packages as this process does."""
    return [sys.executable, *arguments]


@contextmanager
def child(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command with its output in `log`; SIGTERM at the end, SIGKILL if it does not obey."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": search_path(), **(env or {})},
        )
        try:
            yield process
        finally:
            stop(process)


def search_path(*first: Path) -> str:
    """A child finds this package and the server's sources beside it, installed or not; and `first` before them."""
    root = Path(__file__).resolve().parent.parent
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(filter(None, (*map(str, first), str(root), str(root / "src"), inherited)))


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child of ours gracefully if it lets us."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_listening(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 30.0) -> None:
    """Wait until the port accepts. Raises NotStarted if the child ends or the time runs out."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    tail = log.read_text(errors="replace")[-2000:]
    raise NotStarted(f"process {process.pid} does not listen on port {port}\n{tail}")
