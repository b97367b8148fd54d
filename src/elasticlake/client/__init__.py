"""The REST API in Python: `Client` for code that waits, `AsyncClient` for code that awaits."""

from elasticlake.client.async_client import AsyncClient
from elasticlake.client.call import UNSET
from elasticlake.client.errors import (
    AccessDenied,
    ApiError,
    Conflict,
    ConnectionFailed,
    EventsExpired,
    Fault,
    InvalidInput,
    NotFound,
    Refused,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from elasticlake.client.sync_client import Client

__all__ = [
    "UNSET",
    "AccessDenied",
    "ApiError",
    "AsyncClient",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "EventsExpired",
    "Fault",
    "InvalidInput",
    "NotFound",
    "Refused",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
]
