"""What every operation is, and what it works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response
from elasticlake.service.buckets import Buckets
from elasticlake.service.multipart import Multipart
from elasticlake.service.notifications import Notifications
from elasticlake.service.objects import Objects


@dataclass(frozen=True, slots=True)
class Services:
    """The services behind the protocol."""

    buckets: Buckets
    objects: Objects
    multipart: Multipart
    notifications: Notifications
    display_name: Callable[[str], Awaitable[str]]
    """An account's display name, by its id."""


Handler = Callable[[Services, S3Request], Awaitable[Response]]
