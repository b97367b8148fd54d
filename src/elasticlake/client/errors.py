"""What a call of the REST API can fail with. The tree::

ApiError
├── ConnectionFailed          no answer came
├── UnexpectedAnswer          something answered that is not ElasticLake
└── Refused                   a problem document (RFC 9457): status, type, title, detail, the fields at fault
    ├── InvalidInput          400, 413, 415, 422
    ├── Unauthenticated       401
    ├── AccessDenied          403
    ├── NotFound              404
    ├── Conflict              409, 412
    ├── EventsExpired         410: the log's first kept event is `first_sequence`
    ├── TooManyRequests       429
    └── Unavailable           5xx: the same call may succeed later
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx


class ApiError(Exception):
    """Base of all errors of the client; `str(error)` is a sentence."""


class ConnectionFailed(ApiError):
    """The server could not be reached, or was lost before it answered; `was_sent` is false where it surely heard of
    nothing."""

    was_sent = True


class UnexpectedAnswer(ApiError):
    """The answer is not what ElasticLake says."""


class Fault(NamedTuple):
    """A field at fault, in the API's spelling, and why."""

    field: str
    detail: str


class Refused(ApiError):
    """The server refused the call, and said why. Programs compare `type`, such as `/v1/problems/no-such-bucket`, which
    never changes; `title` and `detail` are for people."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None) -> None:
        self.status = status
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail") or self.title or f"The server answered {status}.")
        self.faults = [Fault(str(one.get("field", "")), str(one.get("detail", ""))) for one in _faults(problem)]
        self.field = self.faults[0].field if self.faults else None
        """The first field at fault, where one is."""
        self.request_id = request_id
        super().__init__(self.detail)


class InvalidInput(Refused):
    """Something that was sent cannot be taken: `faults` names each field."""


class Unauthenticated(Refused):
    """There is no token, or it is not valid."""


class AccessDenied(Refused):
    """The token may not do this."""


class NotFound(Refused):
    """It does not exist, or not for this token."""


class Conflict(Refused):
    """The call contradicts the present state."""


class EventsExpired(Refused):
    """The log no longer holds what was asked for; `first_sequence` is the first event that it does."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None) -> None:
        super().__init__(status, problem, request_id)
        first = problem.get("firstSequence")
        self.first_sequence = first if isinstance(first, int) else None


class TooManyRequests(Refused):
    """Later."""


class Unavailable(Refused):
    """The server cannot answer now: the same call may succeed later."""


_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CLASSES: dict[int, type[Refused]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: AccessDenied,
    404: NotFound,
    409: Conflict,
    410: EventsExpired,
    412: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: TooManyRequests,
}


def refusal(status: int, problem: Mapping[str, Any], request_id: str | None) -> Refused:
    """The error that a status of 400 or more is."""
    kind = Unavailable if status >= 500 else _CLASSES.get(status, Refused)
    return kind(status, problem, request_id)


def connection_failed(url: str, error: Exception) -> ConnectionFailed:
    """The error of a call that had no answer, with its cause."""
    failed = ConnectionFailed(f"{url}: {str(error) or type(error).__name__}")
    failed.was_sent = not isinstance(error, _BEFORE_SENDING)
    failed.__cause__ = error
    return failed


def _faults(problem: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = problem.get("errors")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
