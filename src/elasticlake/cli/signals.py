"""Signals that end a command: in order, so that it leaves nothing half-made."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP as of a terminal that is closed, end the command as Ctrl-C does; the exit code is 128 and
    the signal's number. What was ignored, as under nohup, still is."""
    earlier = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in earlier.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """What cleans up is not interrupted: an impatient second Ctrl-C changes nothing."""
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def _end(number: int, frame: Any) -> None:
    sys.exit(128 + number)
