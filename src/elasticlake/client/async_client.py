"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from elasticlake.client import models
from elasticlake.client.async_resources import AsyncResources
from elasticlake.client.call import Call
from elasticlake.client.errors import ConnectionFailed, TooManyRequests, Unavailable, connection_failed
from elasticlake.client.exchange import AWAY_SECONDS, RETRIES, TIMEOUT_SECONDS, Answer, Server, attempting
from elasticlake.client.feed_cursor import FeedCursor
from elasticlake.client.object_storage import s3_client


class AsyncClient(AsyncResources):
    """`Client` with calls to await::

    async with AsyncClient("http://127.0.0.1:9000", token) as client:
        async for bucket in client.buckets.list():
            print(bucket.bucket)
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self._server = Server.named(url, token)
        self._timeout_seconds = timeout_seconds
        self._retries = retries
        self._http = httpx.AsyncClient(headers=self._server.headers)
        super().__init__(self)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[Any]) -> Any:
        """Make a call and return what it was for; raises `ApiError`."""
        steps = attempting(call, self._retries)
        try:
            wait_seconds = next(steps)
            while True:
                await asyncio.sleep(wait_seconds)
                wait_seconds = steps.send(await self._exchange(call))
        except StopIteration as done:
            return done.value

    async def events(self, bucket: str, after: int = 0, *, follow: bool = True) -> AsyncIterator[models.Event]:
        """The bucket's events behind sequence `after`, in order, without a gap; and, with `follow`, what comes.

        A server that is away or too busy is waited for. Raises `EventsExpired` where the log no longer holds what
        follows, `UnexpectedAnswer` where it does not go on from there, and `NotFound`.
        """
        cursor = FeedCursor(bucket, after, follow=follow)
        while not cursor.has_ended:
            try:
                feed = await self.send(cursor.call)
            except (ConnectionFailed, TooManyRequests, Unavailable):
                if not follow:
                    raise
                await asyncio.sleep(AWAY_SECONDS)
                continue
            for event in cursor.take(feed):
                cursor.passed(event)
                yield event

    def s3(self, access_key_id: str | None = None, secret_access_key: str | None = None, **options: Any) -> Any:
        """A boto3 client for this server's S3; `options` are `boto3.client`'s."""
        return s3_client(self._server.url, access_key_id, secret_access_key, **options)

    async def _exchange(self, call: Call[Any]) -> Answer | ConnectionFailed:
        timeout = self._timeout_seconds + call.wait_seconds
        try:
            response = await self._http.request(
                call.method, self._server.url + call.path, params=call.query, json=call.body, timeout=timeout
            )
        except httpx.HTTPError as error:
            return connection_failed(self._server.url, error)
        return Answer(response.status_code, response.headers, response.content)
