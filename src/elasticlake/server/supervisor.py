"""The supervisor: starts the processes of a server, starts them again if they die, and ends them in order.

It forks before anything is opened, so that a child shares its memory and nothing else, and a restart takes
milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

STOP_SECONDS = 30.0
STEADY_SECONDS = 5.0
BACKOFF_SECONDS = (0.0, 0.1, 0.5, 1.0, 5.0)

_PR_SET_PDEATHSIG = 1
_WATCHED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})

_log = structlog.get_logger("supervisor")


@dataclass(slots=True)
class Child:
    """A process under supervision."""

    name: str
    run: Callable[[], None]
    pid: int = 0
    started_at: float = 0.0
    failures: int = 0
    start_at: float = 0.0


class Supervisor:
    """Keeps its children running until it is told to stop. Once made, it holds back the signals that tell it."""

    def __init__(self, at_stop: Callable[[], None] = lambda: None) -> None:
        """`at_stop` is called before the children are asked to finish."""
        self._at_stop = at_stop
        self._children: list[Child] = []
        self._stopping = False
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)

    def add(self, name: str, run: Callable[[], None]) -> None:
        """A process to run: `run` returns when its work is over, after SIGTERM."""
        self._children.append(Child(name, run))

    def run(self) -> int:
        """Start everything and watch; returns the exit code."""
        for child in self._children:
            self._start(child)
        while True:
            received = signal.sigtimedwait(_WATCHED, self._patience())
            if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            self._reap()
            for child in self._children:
                if child.pid == 0 and time.monotonic() >= child.start_at:
                    self._start(child)

    def _patience(self) -> float:
        """Until the next restart that waits; signals end the wait."""
        waiting = [child.start_at - time.monotonic() for child in self._children if child.pid == 0]
        return max(0.0, min(waiting, default=3600.0))

    def _start(self, child: Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        child.pid = os.fork()
        child.started_at = time.monotonic()
        if child.pid == 0:
            os._exit(_run_child(child, supervisor))

    def _reap(self) -> None:
        for child in self._children:
            if child.pid == 0:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            child.pid = 0
            if time.monotonic() - child.started_at > STEADY_SECONDS:
                child.failures = 0
            wait = BACKOFF_SECONDS[min(child.failures, len(BACKOFF_SECONDS) - 1)]
            child.failures += 1
            child.start_at = time.monotonic() + wait
            if not self._stopping:
                code = os.waitstatus_to_exitcode(status)
                _log.warning("process ended; starting it again", name=child.name, code=code, wait_seconds=wait)

    def _stop(self) -> int:
        """Ask every child to finish, wait, and insist."""
        self._stopping = True
        self._at_stop()
        self._signal_all(signal.SIGTERM)
        give_up_at = time.monotonic() + STOP_SECONDS
        while any(child.pid for child in self._children):
            self._reap()
            if time.monotonic() > give_up_at:
                _log.error("processes did not finish; killing them")
                self._signal_all(signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.2)
        return 0

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, number)


def _run_child(child: Child, supervisor: int) -> int:
    """The child's life: it dies with the supervisor, and hears SIGTERM from it alone (a terminal's ^C reaches all)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    if os.getppid() != supervisor:
        return 1
    try:
        child.run()
    except Exception as error:
        _log.error("process failed", name=child.name, exc_info=error)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
