"""What both clients do alike: headers, what an answer means, and when to try again. No I/O."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from elasticlake import __version__
from elasticlake.client.call import Call
from elasticlake.client.decoding import decode
from elasticlake.client.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
    refusal,
)

DEFAULT_URL = "http://127.0.0.1:9000"
TIMEOUT_SECONDS = 30.0
RETRIES = 3
AWAY_SECONDS = 1.0
"""Before somebody who follows a log asks again a server that is away."""
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 20.0
NOT_NOW = "/v1/problems/unavailable"
"""The type of ElasticLake's own 503."""
ALREADY_DELETED = {"canceled": 0}
"""What a repeated DELETE came to whose first answer was lost: it found nothing more to cancel."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server's base URL, without a slash at its end, and the token to call it with ("" for none)."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def named(cls, url: str | None, token: str | None) -> Server:
        """The one given, else that of `ELASTICLAKE_URL` and `ELASTICLAKE_API_TOKEN`. Raises ValueError for a URL that
        is none."""
        base = (url or os.environ.get("ELASTICLAKE_URL") or DEFAULT_URL).strip().rstrip("/").removesuffix("/v1")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{base!r} is not a server's URL: write it as {DEFAULT_URL}")
        return cls(base, (token if token is not None else os.environ.get("ELASTICLAKE_API_TOKEN", "")).strip())

    @property
    def headers(self) -> dict[str, str]:
        """What every call carries."""
        sent = {"User-Agent": f"elasticlake-python/{__version__}", "Accept": "application/json"}
        return sent | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """The body's JSON; raises `UnexpectedAnswer`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UnexpectedAnswer(f"The answer ({self.status}) is not JSON: is this ElasticLake?") from None


def read(call: Call[Any], answer: Answer) -> Any:
    """What the call was for; raises `Refused`, `UnexpectedAnswer`."""
    if answer.status >= 400:
        raise refusal(answer.status, _problem(answer), answer.headers.get("x-request-id"))
    if not 200 <= answer.status < 300:
        raise UnexpectedAnswer(f"The server answered {answer.status}.")
    if call.answer is None:
        return None
    return answer.body.decode() if call.answer is str else decode(call.answer, answer.document())


def attempting(call: Call[Any], retries: int) -> Generator[float, Answer | ConnectionFailed | None, Any]:
    """Makes the call as often as it takes, and returns what it was for; raises `ApiError`.

    Yields for how many seconds to wait before each attempt, and is sent what came of it.
    """
    wait_seconds, attempt, may_be_done = 0.0, 0, False
    while True:
        attempt += 1
        outcome = yield wait_seconds
        answer = outcome if isinstance(outcome, Answer) else None
        try:
            if isinstance(outcome, ConnectionFailed):
                raise outcome
            assert answer is not None
            return read(call, answer)
        except ApiError as error:
            if may_be_done and call.method == "DELETE" and isinstance(error, NotFound):
                # It was there to be deleted, as far as anybody knows, and is gone: that is what was asked for.
                return None if call.answer is None else decode(call.answer, ALREADY_DELETED)
            may_be_done = may_be_done or _may_be_done(error)
            patience = wait_before_retry(call, error, attempt, answer)
            if patience is None or attempt > retries:
                raise
            wait_seconds = patience


def next_page(call: Call[Any], page: Any) -> Call[Any] | None:
    """The call for what follows; raises `UnexpectedAnswer` for a list that leads round in a circle."""
    if page.next_cursor is None:
        return None
    if page.next_cursor == call.query.get("cursor"):
        raise UnexpectedAnswer("The list leads to the same page again.")
    return call.with_query(cursor=page.next_cursor)


def wait_before_retry(call: Call[Any], error: ApiError, attempt: int, answer: Answer | None) -> float | None:
    """For how many seconds to wait before the call is made again after its n-th failure; None where it had better not.

    What the server refused to begin may always be sent again; what it may have done, only if doing it twice does
    nothing more.
    """
    if not isinstance(error, ConnectionFailed | TooManyRequests | Unavailable):
        return None
    if not call.is_repeatable and not _was_refused(error):
        return None
    backed_off = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)
    asked_for = _retry_after(answer.headers.get("retry-after", "")) if answer is not None else 0.0
    return max(backed_off, min(asked_for, LONGEST_WAIT_SECONDS))


def _may_be_done(error: ApiError) -> bool:
    """Whether the server may have done what it did not confirm."""
    if isinstance(error, ConnectionFailed):
        return error.was_sent
    return isinstance(error, Unavailable) and not _was_refused(error)


def _was_refused(error: ApiError) -> bool:
    """Whether the server surely did nothing, and may soon. A proxy's 503 says nothing of what the server did."""
    return isinstance(error, TooManyRequests) or (
        isinstance(error, Unavailable) and error.status == 503 and error.type == NOT_NOW
    )


def _retry_after(value: str) -> float:
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        document = answer.document()
    except UnexpectedAnswer:
        # A proxy in front may refuse in its own words.
        return {}
    return document if isinstance(document, dict) else {}
