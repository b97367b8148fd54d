"""Dates as clients write them: RFC 9110's forms (section 5.6.7) and, where S3 takes those too, RFC 3339's."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_seconds(text: str) -> int | None:
    """Whole seconds of the epoch; None for what is no date of RFC 9110."""
    try:
        return _seconds(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError):
        return None


def date_seconds(text: str) -> int | None:
    """Whole seconds of the epoch from either form, an offset counted; None for what is neither."""
    try:
        return _seconds(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return http_seconds(text)


def _seconds(found: datetime) -> int:
    # A time without a zone is UTC, never this machine's.
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return int(aware.timestamp() // 1)
