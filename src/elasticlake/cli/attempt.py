"""An attempt of a delivery, as people read it: what came of it, and what the endpoint answered."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import groupby

from elasticlake.cli.client import Document
from elasticlake.cli.table import Column

MOST_ANSWER_LINES = 10
MOST_ANSWER_CHARACTERS = 1000

# The classes whose whole story is the status code.
TOLD_BY_STATUS = frozenset({None, "", "status", "redirect"})
# How Python's event loops word a connection that failed: "[Errno 111] Connect call failed ('127.0.0.1', 5000)".
CONNECT_FAILED = re.compile(r"\[Errno (?P<number>\d+)\] Connect call failed \('(?P<host>[^']+)', (?P<port>\d+)[^)]*\)")

SEVERAL = re.compile(r"\[Errno \d+\] Multiple exceptions: ")
REFUSED = os.strerror(errno.ECONNREFUSED).lower()


def outcome(attempt: Document) -> str:
    """What came of an attempt: `500 Internal Server Error`, or why there was no status."""
    error_class, error = attempt.get("errorClass"), attempt.get("error")
    if attempt.get("statusCode") and error_class in TOLD_BY_STATUS:
        redirect = ", not followed" if error_class == "redirect" else ""
        return f"{_status(attempt['statusCode'])}{redirect}"
    reason = CONNECT_FAILED.sub(_connection, SEVERAL.sub("", str(error))) if error else ""
    reason = reason.replace(f", {REFUSED} by ", " and ")  # each of a name's addresses
    return ": ".join(str(part) for part in (error_class, reason) if part)


def answers(attempts: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """A title and the shortened body of each answer; equal ones that follow each other are one."""
    for body, group in groupby(attempts, key=lambda attempt: str(attempt.get("responseBody") or "")):
        numbers = [attempt.get("attempt") for attempt in group]
        which = f"attempt {numbers[0]}" if len(numbers) == 1 else f"attempts {numbers[0]} to {numbers[-1]}"
        if body:
            yield f"Answer to {which}", _shortened(body)


ATTEMPT_COLUMNS = {
    "ATTEMPT": Column("attempt"),
    "STARTED": Column("startedAt", is_time=True),
    "MS": Column("durationMs", spare=1),
    "OUTCOME": Column(outcome, shortens_to=45),
    "NEXT": Column("nextAttemptAt", is_time=True, spare=2),
}


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:  # a code of the receiver's own
        return str(code)


def _connection(failed: re.Match[str]) -> str:
    host = f"[{failed['host']}]" if ":" in failed["host"] else failed["host"]
    number = int(failed["number"])
    return f"{os.strerror(number).lower()}{' by' if number == errno.ECONNREFUSED else ':'} {host}:{failed['port']}"


def _shortened(body: str) -> str:
    lines = body[:MOST_ANSWER_CHARACTERS].splitlines()[:MOST_ANSWER_LINES]
    more = [] if lines == body.splitlines() else ["… (all that was kept: --json)"]
    return "\n".join(lines + more)
