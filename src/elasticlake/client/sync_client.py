"""The client whose calls wait for their answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

from elasticlake.client import models
from elasticlake.client.call import Call
from elasticlake.client.errors import ConnectionFailed, TooManyRequests, Unavailable, connection_failed
from elasticlake.client.exchange import AWAY_SECONDS, RETRIES, TIMEOUT_SECONDS, Answer, Server, attempting
from elasticlake.client.feed_cursor import FeedCursor
from elasticlake.client.object_storage import s3_client
from elasticlake.client.sync_resources import SyncResources


class Client(SyncResources):
    """ElasticLake's REST API::

        with Client("http://127.0.0.1:9000", token) as client:
            client.webhooks.create("https://example.com/hook", ["object:created"], bucket="lake1--pond1--photos")

    Without a URL and a token it takes `ELASTICLAKE_URL` and `ELASTICLAKE_API_TOKEN`. A call is tried again where that
    does no harm, `retries` times. Lists are iterators over all their pages. Everything raises `ApiError`.
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
        self._http = httpx.Client(headers=self._server.headers)
        super().__init__(self)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[Any]) -> Any:
        """Make a call and return what it was for; raises `ApiError`."""
        steps = attempting(call, self._retries)
        try:
            wait_seconds = next(steps)
            while True:
                time.sleep(wait_seconds)
                wait_seconds = steps.send(self._exchange(call))
        except StopIteration as done:
            return done.value

    def events(self, bucket: str, after: int = 0, *, follow: bool = True) -> Iterator[models.Event]:
        """The bucket's events behind sequence `after`, in order, without a gap; and, with `follow`, what comes.

        A server that is away or too busy is waited for. Raises `EventsExpired` where the log no longer holds what
        follows, `UnexpectedAnswer` where it does not go on from there, and `NotFound`.
        """
        cursor = FeedCursor(bucket, after, follow=follow)
        while not cursor.has_ended:
            try:
                feed = self.send(cursor.call)
            except (ConnectionFailed, TooManyRequests, Unavailable):
                if not follow:
                    raise
                time.sleep(AWAY_SECONDS)
                continue
            for event in cursor.take(feed):
                cursor.passed(event)
                yield event

    def s3(self, access_key_id: str | None = None, secret_access_key: str | None = None, **options: Any) -> Any:
        """A boto3 client for this server's S3; `options` are `boto3.client`'s."""
        return s3_client(self._server.url, access_key_id, secret_access_key, **options)

    def _exchange(self, call: Call[Any]) -> Answer | ConnectionFailed:
        timeout = self._timeout_seconds + call.wait_seconds
        try:
            response = self._http.request(
                call.method, self._server.url + call.path, params=call.query, json=call.body, timeout=timeout
            )
        except httpx.HTTPError as error:
            return connection_failed(self._server.url, error)
        return Answer(response.status_code, response.headers, response.content)
