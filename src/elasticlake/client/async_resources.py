"""The REST API's resources, to await.

Made from the API's description by `tools/generate_client.py`: change that, not this.
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from elasticlake.client import models
from elasticlake.client.async_resource import AsyncResource
from elasticlake.client.call import UNSET, Given, make_call


class AsyncHealth(AsyncResource):
    """What there is of health."""

    async def get(self) -> models.Health:
        """Is the server up?

        Answers without a token.
        """
        return await self._send(make_call("GET", "/v1/health", models.Health))

    async def get_liveness(self) -> models.Liveness:
        """Does the process live?

        Answers without a token. No answer within seconds is a reason to start the process again.
        """
        return await self._send(make_call("GET", "/v1/health/live", models.Liveness))

    async def get_readiness(self) -> models.Readiness:
        """Can the process work?

        Answers without a token. 503, with the same document, is a reason to send requests elsewhere for now.
        """
        return await self._send(make_call("GET", "/v1/health/ready", models.Readiness))


class AsyncMetrics(AsyncResource):
    """What there is of metrics."""

    async def get(self) -> str:
        """Read the server's metrics.

        Of all processes of this server, in Prometheus's text format. Any token may read them; an access key
        that is limited to some places may not.
        """
        return await self._send(make_call("GET", "/v1/metrics", str))


class AsyncLakes(AsyncResource):
    """What there is of lakes."""

    async def create(
        self, lake: str, *, name: Given[str | None] = UNSET, account: Given[str | None] = UNSET
    ) -> models.Lake:
        """Create a lake.

        The display name is the slug unless `name` says otherwise; the payloads of webhooks carry it.
        """
        return await self._send(
            make_call("POST", "/v1/lakes", models.Lake, body={"lake": lake, "name": name, "account": account})
        )

    def list(self, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Lake]:
        """List lakes.

        Those that the token reaches something of, by slug. Lake `default` always exists.

        `limit`: how many a page has.
        """
        return self._pages(make_call("GET", "/v1/lakes", models.LakePage, query={"limit": limit}))

    async def get(self, lake: str) -> models.Lake:
        """Get a lake.

        With how much its buckets hold.

        `lake`: the lake's slug.
        """
        return await self._send(make_call("GET", "/v1/lakes/{lake}", models.Lake, path={"lake": lake}))

    async def change(self, lake: str, name: str) -> models.Lake:
        """Rename a lake.

        Changes the display name; events carry the new one from then on. The slug stays.

        `lake`: the lake's slug.
        """
        return await self._send(
            make_call("PATCH", "/v1/lakes/{lake}", models.Lake, path={"lake": lake}, body={"name": name})
        )

    async def delete(self, lake: str) -> None:
        """Delete a lake.

        409 while the lake has ponds or webhooks.

        `lake`: the lake's slug.
        """
        await self._send(make_call("DELETE", "/v1/lakes/{lake}", None, path={"lake": lake}))


class AsyncPonds(AsyncResource):
    """What there is of ponds."""

    async def create(self, lake: str, pond: str, *, name: Given[str | None] = UNSET) -> models.Pond:
        """Create a pond.

        The display name is the slug unless `name` says otherwise; the payloads of webhooks carry it.

        `lake`: the lake's slug.
        """
        return await self._send(
            make_call(
                "POST", "/v1/lakes/{lake}/ponds", models.Pond, path={"lake": lake}, body={"pond": pond, "name": name}
            )
        )

    def list(self, lake: str, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Pond]:
        """List a lake's ponds.

        Those that the token reaches something of, by slug.

        `lake`: the lake's slug.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call("GET", "/v1/lakes/{lake}/ponds", models.PondPage, path={"lake": lake}, query={"limit": limit})
        )

    async def get(self, lake: str, pond: str) -> models.Pond:
        """Get a pond.

        With how much its buckets hold.

        `lake`: the lake's slug.
        `pond`: the pond's slug, without its lake's.
        """
        return await self._send(
            make_call("GET", "/v1/lakes/{lake}/ponds/{pond}", models.Pond, path={"lake": lake, "pond": pond})
        )

    async def change(self, lake: str, pond: str, name: str) -> models.Pond:
        """Rename a pond.

        Changes the display name; events carry the new one from then on. The slug stays.

        `lake`: the lake's slug.
        `pond`: the pond's slug, without its lake's.
        """
        return await self._send(
            make_call(
                "PATCH",
                "/v1/lakes/{lake}/ponds/{pond}",
                models.Pond,
                path={"lake": lake, "pond": pond},
                body={"name": name},
            )
        )

    async def delete(self, lake: str, pond: str) -> None:
        """Delete a pond.

        409 while the pond has buckets, deleted buckets whose events are kept, or webhooks.

        `lake`: the lake's slug.
        `pond`: the pond's slug, without its lake's.
        """
        await self._send(make_call("DELETE", "/v1/lakes/{lake}/ponds/{pond}", None, path={"lake": lake, "pond": pond}))


class AsyncBuckets(AsyncResource):
    """What there is of buckets."""

    async def create(
        self, bucket: str, *, account: Given[str | None] = UNSET, acl: Given[Literal["private", "public-read"]] = UNSET
    ) -> models.Bucket:
        """Create a bucket.

        A missing lake or pond is created with its slug as display name. The owner is `account`, else the
        token's only account, else root.
        """
        return await self._send(
            make_call("POST", "/v1/buckets", models.Bucket, body={"bucket": bucket, "account": account, "acl": acl})
        )

    def list(
        self, *, lake: Given[str] = UNSET, pond: Given[str] = UNSET, limit: Given[int] = UNSET
    ) -> AsyncIterator[models.Bucket]:
        """List buckets.

        Those that the token reaches, by name.

        `lake`: only this lake's.
        `pond`: only this pond's.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call("GET", "/v1/buckets", models.BucketPage, query={"lake": lake, "pond": pond, "limit": limit})
        )

    async def get(self, bucket: str) -> models.Bucket:
        """Get a bucket.

        With how much it holds, and the sequence of its last event.

        `bucket`: the bucket's S3 name.
        """
        return await self._send(make_call("GET", "/v1/buckets/{bucket}", models.Bucket, path={"bucket": bucket}))

    async def change(self, bucket: str, acl: Literal["private", "public-read"]) -> models.Bucket:
        """Change a bucket's ACL.

        `public-read` lets anyone list the bucket.

        `bucket`: the bucket's S3 name.
        """
        return await self._send(
            make_call("PATCH", "/v1/buckets/{bucket}", models.Bucket, path={"bucket": bucket}, body={"acl": acl})
        )

    async def delete(self, bucket: str) -> None:
        """Delete a bucket.

        409 while the bucket has objects. Its log stays until it is delivered or expired.

        `bucket`: the bucket's S3 name.
        """
        await self._send(make_call("DELETE", "/v1/buckets/{bucket}", None, path={"bucket": bucket}))

    async def measure(self, bucket: str, *, prefix: Given[str] = UNSET) -> models.Measure:
        """Count the objects under a prefix.

        The first 10,000 are counted; what the whole bucket holds is kept with it, and costs nothing to ask.

        `bucket`: the bucket's S3 name.
        `prefix`: only keys that begin so.
        """
        return await self._send(
            make_call(
                "GET", "/v1/buckets/{bucket}/size", models.Measure, path={"bucket": bucket}, query={"prefix": prefix}
            )
        )


class AsyncEvents(AsyncResource):
    """What there is of events."""

    async def list(
        self,
        bucket: str,
        *,
        after: Given[int] = UNSET,
        before: Given[int] = UNSET,
        order: Given[Literal["asc", "desc"]] = UNSET,
        key: Given[str] = UNSET,
        limit: Given[int] = UNSET,
        wait: Given[float] = UNSET,
    ) -> models.Feed:
        """Read a bucket's events.

        Ask again with `after` set to the last item's `sequence`. With `wait`, an empty answer comes only when
        that long nothing happened. 410 with `firstSequence` if events after `after` are gone. With `order=desc`
        ask again with `before` set to the last item's `sequence`.

        With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that does not end: `data`
        is what a webhook would receive, `id` the sequence, with which a reader that lost its connection goes
        on.

        `bucket`: the bucket's S3 name.
        `after`: the last sequence already seen.
        `before`: with `order=desc`.
        `order`: `desc`.
        `key`: only of this key.
        `limit`: how many items at most.
        `wait`: how long to wait at most, in seconds.
        """
        return await self._send(
            make_call(
                "GET",
                "/v1/buckets/{bucket}/events",
                models.Feed,
                path={"bucket": bucket},
                query={"after": after, "before": before, "order": order, "key": key, "limit": limit, "wait": wait},
            )
        )


class AsyncWebhooks(AsyncResource):
    """What there is of webhooks."""

    async def create(
        self,
        endpoint: str,
        events: Sequence[
            Literal[
                "object:created",
                "object:updated",
                "object:deleted",
                "multipart:completed",
                "webhook:failing",
                "webhook:disabled",
            ]
        ],
        *,
        headers: Given[Mapping[str, str] | None] = UNSET,
        client_certificate: Given[str | None] = UNSET,
        client_key: Given[str | None] = UNSET,
        certificate_authority: Given[str | None] = UNSET,
        filter: Given[models.FilterInput | None] = UNSET,
        where: Given[str | None] = UNSET,
        format: Given[Literal["elasticlake", "cloudevents", "s3"] | None] = UNSET,
        include_metadata: Given[bool | None] = UNSET,
        include_url: Given[int | None] = UNSET,
        coalesce: Given[bool | None] = UNSET,
        rate_limit: Given[float | None] = UNSET,
        max_concurrency: Given[int | None] = UNSET,
        batch: Given[models.BatchInput | None] = UNSET,
        bucket: Given[str | None] = UNSET,
        pond: Given[str | None] = UNSET,
        lake: Given[str | None] = UNSET,
        account: Given[str | None] = UNSET,
        secret: Given[str | None] = UNSET,
        retry_schedule: Given[Sequence[float] | None] = UNSET,
        timeout_seconds: Given[float | None] = UNSET,
        ordering: Given[Literal["key", "bucket", "none"] | None] = UNSET,
        on_dead: Given[Literal["continue", "pause"] | None] = UNSET,
        name: Given[str | None] = UNSET,
    ) -> models.Webhook:
        """Create a webhook.

        It sees what happens from now on. A missing `secret` is generated and shown in this answer alone.

        A pond's or lake's webhook matches the buckets there that its `account` owns: by default, the lake's
        owner.

        `headers`: headers to send with every attempt, beside ours.
        `client_certificate`: shown to an endpoint that asks for one.
        `client_key`: the client certificate's private key.
        `certificate_authority`: who signs the endpoint's certificate, instead of the public authorities.
        `filter`: which of the events match.
        `where`: A CEL expression over the payload.
        `format`: the envelope.
        `include_metadata`: put the object's user metadata in the payload.
        `include_url`: put a presigned GET URL that lives so many seconds in the payload.
        `coalesce`: of a key's waiting events, send only the latest.
        `rate_limit`: attempts a second, at most.
        `max_concurrency`: attempts at once, at most.
        `batch`: send several events in one request.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/webhooks",
                models.Webhook,
                body={
                    "endpoint": endpoint,
                    "events": events,
                    "headers": headers,
                    "clientCertificate": client_certificate,
                    "clientKey": client_key,
                    "certificateAuthority": certificate_authority,
                    "filter": filter,
                    "where": where,
                    "format": format,
                    "includeMetadata": include_metadata,
                    "includeUrl": include_url,
                    "coalesce": coalesce,
                    "rateLimit": rate_limit,
                    "maxConcurrency": max_concurrency,
                    "batch": batch,
                    "bucket": bucket,
                    "pond": pond,
                    "lake": lake,
                    "account": account,
                    "secret": secret,
                    "retrySchedule": retry_schedule,
                    "timeoutSeconds": timeout_seconds,
                    "ordering": ordering,
                    "onDead": on_dead,
                    "name": name,
                },
            )
        )

    def list(
        self,
        *,
        standing: Given[bool] = UNSET,
        limit: Given[int] = UNSET,
        bucket: Given[str] = UNSET,
        pond: Given[str] = UNSET,
        lake: Given[str] = UNSET,
    ) -> AsyncIterator[models.Webhook]:
        """List webhooks.

        All, or those made for exactly this bucket, pond (as `lake--pond`) or lake.

        `standing`: each with `standing`, and with `where` `whereErrors`.
        `limit`: how many a page has.
        `bucket`: only those made for this bucket.
        `pond`: only those made for this pond.
        `lake`: only those made for this lake.
        """
        return self._pages(
            make_call(
                "GET",
                "/v1/webhooks",
                models.WebhookPage,
                query={"standing": standing, "limit": limit, "bucket": bucket, "pond": pond, "lake": lake},
            )
        )

    async def get(self, id: str) -> models.Webhook:
        """Get a webhook.

        The answer also has `standing`, and with `where` `whereErrors`.

        `id`: the webhook's id.
        """
        return await self._send(make_call("GET", "/v1/webhooks/{id}", models.Webhook, path={"id": id}))

    async def change(
        self,
        id: str,
        *,
        headers: Given[Mapping[str, str] | None] = UNSET,
        client_certificate: Given[str | None] = UNSET,
        client_key: Given[str | None] = UNSET,
        certificate_authority: Given[str | None] = UNSET,
        filter: Given[models.FilterInput | None] = UNSET,
        where: Given[str | None] = UNSET,
        format: Given[Literal["elasticlake", "cloudevents", "s3"] | None] = UNSET,
        include_metadata: Given[bool | None] = UNSET,
        include_url: Given[int | None] = UNSET,
        coalesce: Given[bool | None] = UNSET,
        rate_limit: Given[float | None] = UNSET,
        max_concurrency: Given[int | None] = UNSET,
        batch: Given[models.BatchInput | None] = UNSET,
        endpoint: Given[str | None] = UNSET,
        events: Given[
            Sequence[
                Literal[
                    "object:created",
                    "object:updated",
                    "object:deleted",
                    "multipart:completed",
                    "webhook:failing",
                    "webhook:disabled",
                ]
            ]
            | None
        ] = UNSET,
        secret: Given[str | None] = UNSET,
        retry_schedule: Given[Sequence[float] | None] = UNSET,
        timeout_seconds: Given[float | None] = UNSET,
        ordering: Given[Literal["key", "bucket", "none"] | None] = UNSET,
        on_dead: Given[Literal["continue", "pause"] | None] = UNSET,
        name: Given[str | None] = UNSET,
        status: Given[Literal["enabled", "disabled"] | None] = UNSET,
        resume: Given[Literal["position", "now"] | None] = UNSET,
    ) -> models.Webhook:
        """Change a webhook.

        A change applies from the next attempt on.

        Enabling goes on where the webhook stopped (`resume: "position"`), or skips what waits (`resume:
        "now"`).

        `id`: the webhook's id.
        `headers`: headers to send with every attempt, beside ours.
        `client_certificate`: shown to an endpoint that asks for one.
        `client_key`: the client certificate's private key.
        `certificate_authority`: who signs the endpoint's certificate, instead of the public authorities.
        `filter`: which of the events match.
        `where`: A CEL expression over the payload.
        `format`: the envelope.
        `include_metadata`: put the object's user metadata in the payload.
        `include_url`: put a presigned GET URL that lives so many seconds in the payload.
        `coalesce`: of a key's waiting events, send only the latest.
        `rate_limit`: attempts a second, at most.
        `max_concurrency`: attempts at once, at most.
        `batch`: send several events in one request.
        """
        return await self._send(
            make_call(
                "PATCH",
                "/v1/webhooks/{id}",
                models.Webhook,
                path={"id": id},
                body={
                    "headers": headers,
                    "clientCertificate": client_certificate,
                    "clientKey": client_key,
                    "certificateAuthority": certificate_authority,
                    "filter": filter,
                    "where": where,
                    "format": format,
                    "includeMetadata": include_metadata,
                    "includeUrl": include_url,
                    "coalesce": coalesce,
                    "rateLimit": rate_limit,
                    "maxConcurrency": max_concurrency,
                    "batch": batch,
                    "endpoint": endpoint,
                    "events": events,
                    "secret": secret,
                    "retrySchedule": retry_schedule,
                    "timeoutSeconds": timeout_seconds,
                    "ordering": ordering,
                    "onDead": on_dead,
                    "name": name,
                    "status": status,
                    "resume": resume,
                },
            )
        )

    async def delete(self, id: str) -> models.Deleted:
        """Delete a webhook.

        Whatever waits for it is canceled.

        `id`: the webhook's id.
        """
        return await self._send(make_call("DELETE", "/v1/webhooks/{id}", models.Deleted, path={"id": id}))

    async def send_test_delivery(self, id: str, *, wait: Given[float] = UNSET) -> models.Delivery:
        """Send a test delivery.

        A page-shaped `object:created` with `test: true`. Answers as the delivery stands after at most `wait`
        seconds.

        `id`: the webhook's id.
        `wait`: how long to wait at most, in seconds.
        """
        return await self._send(
            make_call("POST", "/v1/webhooks/{id}/test", models.Delivery, path={"id": id}, query={"wait": wait})
        )

    def list_deliveries(
        self,
        id: str,
        *,
        status: Given[Literal["pending", "held", "retrying", "delivered", "dead", "canceled", "expired"]] = UNSET,
        limit: Given[int] = UNSET,
        event: Given[Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]] = UNSET,
        key: Given[str] = UNSET,
        key_prefix: Given[str] = UNSET,
        status_code: Given[str] = UNSET,
        since: Given[datetime] = UNSET,
        until: Given[datetime] = UNSET,
    ) -> AsyncIterator[models.Delivery]:
        """List a webhook's deliveries.

        Without `status`: everything that was attempted, newest first. A page may be short and still have a next
        one.

        With any other condition only what the history of attempts still knows is found, and of what was not
        attempted yet (`status` is `pending` or `held`) what the log holds. `statusCode`, `since` and `until`
        are about the last attempt. What was coalesced is counted where it was sent (`coalesced`), and not
        listed.

        `id`: the webhook's id.
        `status`: only with this status.
        `limit`: how many a page has.
        `event`: only of this type.
        `key`: only of this key.
        `key_prefix`: only of keys that begin so.
        `status_code`: only whose last attempt was answered so.
        `since`: only whose last attempt began then or later.
        `until`: only whose last attempt began before.
        """
        return self._pages(
            make_call(
                "GET",
                "/v1/webhooks/{id}/deliveries",
                models.DeliveryPage,
                path={"id": id},
                query={
                    "status": status,
                    "limit": limit,
                    "event": event,
                    "key": key,
                    "keyPrefix": key_prefix,
                    "statusCode": status_code,
                    "since": since,
                    "until": until,
                },
            )
        )

    async def rotate_secret(
        self, id: str, *, secret: Given[str | None] = UNSET, overlap_seconds: Given[int] = UNSET
    ) -> models.Webhook:
        """Rotate a webhook's secret.

        Until `overlapEndsAt` the header `webhook-signature` has a signature of each secret, and `X-ElasticLake-
        Signature` that of the old one. A generated secret is shown in this answer alone.

        A rotation during another's overlap replaces the new secret, and the overlap begins anew.

        `id`: the webhook's id.
        `overlap_seconds`: how long the old secret goes on signing.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/webhooks/{id}/rotate",
                models.Webhook,
                path={"id": id},
                body={"secret": secret, "overlapSeconds": overlap_seconds},
            )
        )

    async def promote_secret(self, id: str) -> models.Webhook:
        """End a rotation's overlap.

        From the next attempt on, only the new secret signs.

        `id`: the webhook's id.
        """
        return await self._send(make_call("POST", "/v1/webhooks/{id}/promote", models.Webhook, path={"id": id}))

    async def get_statistics(
        self,
        id: str,
        *,
        since: Given[datetime] = UNSET,
        until: Given[datetime] = UNSET,
        step: Given[Literal["5m", "1h", "1d"]] = UNSET,
    ) -> models.Statistics:
        """Get a webhook's statistics.

        How many attempts there were, why those failed that did, and how long all took. An attempt counts when
        it began.

        Times are widened to whole steps (UTC). Statistics are kept for as long as the history of attempts is;
        steps before it hold nothing.

        `id`: the webhook's id.
        `since`: from then on.
        `until`: until then.
        `step`: at most 1000 steps are answered.
        """
        return await self._send(
            make_call(
                "GET",
                "/v1/webhooks/{id}/statistics",
                models.Statistics,
                path={"id": id},
                query={"since": since, "until": until, "step": step},
            )
        )

    async def explain(
        self,
        id: str,
        *,
        bucket: Given[str | None] = UNSET,
        limit: Given[int] = UNSET,
        sequences: Given[Sequence[int]] = UNSET,
        objects: Given[Sequence[models.SampleObjectInput]] = UNSET,
    ) -> models.Explanation:
        """Explain which events a webhook matches.

        For recent events or given objects: whether each matches, and which clause refuses it. Nothing is sent.

        `id`: the webhook's id.
        `bucket`: by default, the bucket that the webhook listens to.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/webhooks/{id}/explain",
                models.Explanation,
                path={"id": id},
                body={"bucket": bucket, "limit": limit, "sequences": sequences, "objects": objects},
            )
        )

    async def explain_draft(
        self,
        webhook: models.DraftInput,
        *,
        bucket: Given[str | None] = UNSET,
        limit: Given[int] = UNSET,
        sequences: Given[Sequence[int]] = UNSET,
        objects: Given[Sequence[models.SampleObjectInput]] = UNSET,
    ) -> models.Explanation:
        """Explain which events a webhook would match.

        The same for a webhook that does not exist: try a filter before you create or change one with it.

        `bucket`: by default, the bucket that the webhook listens to.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/explain",
                models.Explanation,
                body={"webhook": webhook, "bucket": bucket, "limit": limit, "sequences": sequences, "objects": objects},
            )
        )

    def reconcile(
        self, id: str, *, bucket: Given[str] = UNSET, prefix: Given[str] = UNSET, limit: Given[int] = UNSET
    ) -> AsyncIterator[models.Unacknowledged]:
        """List what a webhook has not acknowledged.

        Each key once, by its latest event; whatever is not listed was acknowledged, or is from before the
        webhook began. A page may be short and still have a next one.

        `id`: the webhook's id.
        `bucket`: one of the buckets that the webhook listens to.
        `prefix`: only keys that begin so.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call(
                "GET",
                "/v1/webhooks/{id}/reconcile",
                models.UnacknowledgedPage,
                path={"id": id},
                query={"bucket": bucket, "prefix": prefix, "limit": limit},
            )
        )


class AsyncJobs(AsyncResource):
    """What there is of jobs."""

    async def replay(
        self,
        id: str,
        *,
        bucket: Given[str | None] = UNSET,
        from_sequence: Given[int | None] = UNSET,
        to_sequence: Given[int | None] = UNSET,
        since: Given[datetime | None] = UNSET,
        until: Given[datetime | None] = UNSET,
        prefix: Given[str] = UNSET,
        events: Given[
            Sequence[Literal["object:created", "object:updated", "object:deleted", "multipart:completed"]]
        ] = UNSET,
        only: Given[Literal["all", "retrying", "dead"]] = UNSET,
        rate_limit: Given[float | None] = UNSET,
        fresh_ids: Given[bool] = UNSET,
        dry_run: Given[bool] = UNSET,
    ) -> models.Job | models.Count:
        """Send past events again.

        A job that sends what the log holds up to now, each key's events in sequence, beside whatever happens
        meanwhile. The webhook's event types and filter apply as they are now. 410 if `fromSequence` is no
        longer in the log.

        `id`: the webhook's id.
        `bucket`: one of the buckets that the webhook listens to.
        `until`: only events before that time.
        `prefix`: only of keys that begin so.
        `events`: of what the webhook subscribed to, only these types.
        `only`: `dead`.
        `rate_limit`: deliveries a second, at most.
        `fresh_ids`: give events new ids, for a receiver that ignores those it knows.
        `dry_run`: make no job.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/webhooks/{id}/replay",
                models.Job | models.Count,
                path={"id": id},
                body={
                    "bucket": bucket,
                    "fromSequence": from_sequence,
                    "toSequence": to_sequence,
                    "since": since,
                    "until": until,
                    "prefix": prefix,
                    "events": events,
                    "only": only,
                    "rateLimit": rate_limit,
                    "freshIds": fresh_ids,
                    "dryRun": dry_run,
                },
            )
        )

    async def backfill(
        self,
        id: str,
        *,
        bucket: Given[str | None] = UNSET,
        prefix: Given[str] = UNSET,
        rate_limit: Given[float | None] = UNSET,
        dry_run: Given[bool] = UNSET,
    ) -> models.Job | models.Count:
        """Tell of existing objects.

        A job that sends one `object:created` with `"backfill": true` for each object that exists, as it is,
        whether or not the log still knows of it. The webhook's filter applies, its event types do not.

        `id`: the webhook's id.
        `bucket`: one of the buckets that the webhook listens to.
        `prefix`: only of keys that begin so.
        `rate_limit`: deliveries a second, at most.
        `dry_run`: make no job.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/webhooks/{id}/backfill",
                models.Job | models.Count,
                path={"id": id},
                body={"bucket": bucket, "prefix": prefix, "rateLimit": rate_limit, "dryRun": dry_run},
            )
        )

    def list(
        self,
        *,
        webhook: Given[str] = UNSET,
        status: Given[Literal["running", "completed", "canceled", "failed"]] = UNSET,
        limit: Given[int] = UNSET,
    ) -> AsyncIterator[models.Job]:
        """List jobs.

        The newest first.

        `webhook`: only this webhook's.
        `status`: only with this status.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call("GET", "/v1/jobs", models.JobPage, query={"webhook": webhook, "status": status, "limit": limit})
        )

    async def get(self, id: str) -> models.Job:
        """Get a job.

        How far it is: its counts grow while it runs.

        `id`: the job's id.
        """
        return await self._send(make_call("GET", "/v1/jobs/{id}", models.Job, path={"id": id}))

    async def cancel(self, id: str) -> models.Job:
        """Cancel a job.

        It begins no attempt any more, and what it failed to deliver is not attempted again. A job that has
        ended stays as it is.

        `id`: the job's id.
        """
        return await self._send(make_call("POST", "/v1/jobs/{id}/cancel", models.Job, path={"id": id}))


class AsyncDeliveries(AsyncResource):
    """What there is of deliveries."""

    async def get(self, id: str) -> models.DeliveryWithAttempts:
        """Get a delivery with its attempts.

        Attempts are kept for as long as the history is (`--history-days`).

        `id`: the delivery's id (`X-ElasticLake-Delivery`).
        """
        return await self._send(make_call("GET", "/v1/deliveries/{id}", models.DeliveryWithAttempts, path={"id": id}))

    async def redeliver(self, id: str) -> models.Delivery:
        """Send a delivery again.

        Out of order and at once, as a delivery of its own. 410 if the log no longer has the event.

        `id`: the delivery's id (`X-ElasticLake-Delivery`).
        """
        return await self._send(make_call("POST", "/v1/deliveries/{id}/redeliver", models.Delivery, path={"id": id}))

    def list_object(self, bucket: str, key: str, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Delivery]:
        """List an object's deliveries.

        Who was told of the object, when, and with which answer: its events that the log still has, the newest
        first, each for every webhook that it matches. A page may be short and still have a next one.

        Redeliveries and replays are not listed; what one of them brought is `delivered`. `GET
        /v1/deliveries/{id}` has the attempts.

        `bucket`: the bucket's S3 name.
        `key`: the object's key.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call(
                "GET",
                "/v1/buckets/{bucket}/deliveries",
                models.DeliveryPage,
                path={"bucket": bucket},
                query={"key": key, "limit": limit},
            )
        )


class AsyncAccounts(AsyncResource):
    """What there is of accounts."""

    async def create(self, display_name: str, email: str, *, id: Given[str | None] = UNSET) -> models.Account:
        """Create an account.

        An account owns lakes, buckets, access keys and webhooks. A missing `id` is generated.
        """
        return await self._send(
            make_call(
                "POST", "/v1/accounts", models.Account, body={"displayName": display_name, "email": email, "id": id}
            )
        )

    def list(self, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Account]:
        """List accounts.

        The account `root` always exists.

        `limit`: how many a page has.
        """
        return self._pages(make_call("GET", "/v1/accounts", models.AccountPage, query={"limit": limit}))

    async def get(self, id: str) -> models.Account:
        """Get an account.

        Its display name, its e-mail address, and since when it exists.

        `id`: the account's id.
        """
        return await self._send(make_call("GET", "/v1/accounts/{id}", models.Account, path={"id": id}))

    async def change(
        self, id: str, *, display_name: Given[str | None] = UNSET, email: Given[str | None] = UNSET
    ) -> models.Account:
        """Change an account.

        What is left out stays. The account `root` is built in and cannot be changed.

        `id`: the account's id.
        """
        return await self._send(
            make_call(
                "PATCH",
                "/v1/accounts/{id}",
                models.Account,
                path={"id": id},
                body={"displayName": display_name, "email": email},
            )
        )

    async def delete(self, id: str) -> None:
        """Delete an account.

        Its access keys go with it. 409 while it owns a lake, a bucket or a webhook.

        `id`: the account's id.
        """
        await self._send(make_call("DELETE", "/v1/accounts/{id}", None, path={"id": id}))


class AsyncKeys(AsyncResource):
    """What there is of keys."""

    async def create(
        self,
        id: str,
        *,
        access_key_id: Given[str | None] = UNSET,
        secret_access_key: Given[str | None] = UNSET,
        scope: Given[models.ScopeInput | None] = UNSET,
    ) -> models.Key:
        """Create an access key.

        Own values are welcome; what is missing is generated. Only this answer shows the secret.

        `id`: the account's id.
        """
        return await self._send(
            make_call(
                "POST",
                "/v1/accounts/{id}/keys",
                models.Key,
                path={"id": id},
                body={"accessKeyId": access_key_id, "secretAccessKey": secret_access_key, "scope": scope},
            )
        )

    def list(self, id: str, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Key]:
        """List an account's access keys.

        In the order of their ids; without their secrets.

        `id`: the account's id.
        `limit`: how many a page has.
        """
        return self._pages(
            make_call("GET", "/v1/accounts/{id}/keys", models.KeyPage, path={"id": id}, query={"limit": limit})
        )

    async def delete(self, id: str, access_key_id: str) -> None:
        """Delete an access key.

        It stops working at once.

        `id`: the account's id.
        `access_key_id`: the access key's id.
        """
        await self._send(
            make_call(
                "DELETE", "/v1/accounts/{id}/keys/{accessKeyId}", None, path={"id": id, "accessKeyId": access_key_id}
            )
        )


class AsyncTokens(AsyncResource):
    """What there is of tokens."""

    async def create(
        self,
        access: Literal["read", "write"],
        *,
        name: Given[str | Literal[""]] = UNSET,
        accounts: Given[Sequence[str] | None] = UNSET,
    ) -> models.Token:
        """Create a token.

        A token that names accounts sees and touches only what is theirs; `read` allows GET and HEAD alone.
        """
        return await self._send(
            make_call("POST", "/v1/tokens", models.Token, body={"access": access, "name": name, "accounts": accounts})
        )

    def list(self, *, limit: Given[int] = UNSET) -> AsyncIterator[models.Token]:
        """List tokens.

        Without their texts. The server's own token comes from its configuration and is not listed.

        `limit`: how many a page has.
        """
        return self._pages(make_call("GET", "/v1/tokens", models.TokenPage, query={"limit": limit}))

    async def delete(self, id: str) -> None:
        """Delete a token.

        It stops working at once.

        `id`: the token's id.
        """
        await self._send(make_call("DELETE", "/v1/tokens/{id}", None, path={"id": id}))


class AsyncActivity(AsyncResource):
    """What there is of activity."""

    def list(
        self,
        *,
        limit: Given[int] = UNSET,
        actor: Given[str] = UNSET,
        action: Given[str] = UNSET,
        subject: Given[str] = UNSET,
        since: Given[datetime] = UNSET,
        until: Given[datetime] = UNSET,
    ) -> AsyncIterator[models.Activity]:
        """Read the audit log.

        What was done to accounts, keys, tokens, lakes, ponds, buckets and webhooks, the newest first;
        deliveries sent again, and jobs. Changes of objects are events. A token that is limited to some accounts
        sees what concerns them.

        `limit`: how many a page has.
        `actor`: only by this.
        `action`: only actions that begin so.
        `subject`: only of this.
        `since`: only then or later.
        `until`: only before.
        """
        return self._pages(
            make_call(
                "GET",
                "/v1/activity",
                models.ActivityPage,
                query={
                    "limit": limit,
                    "actor": actor,
                    "action": action,
                    "subject": subject,
                    "since": since,
                    "until": until,
                },
            )
        )


class AsyncSystem(AsyncResource):
    """What there is of system."""

    async def get(self) -> models.System:
        """Describe the installation.

        Its nodes, engine, places, totals and backlog. For tokens of every account; an answer may be a second
        old.
        """
        return await self._send(make_call("GET", "/v1/system", models.System))


class AsyncResources(AsyncResource):
    """Every resource, by its name."""

    @property
    def health(self) -> AsyncHealth:
        return AsyncHealth(self._transport)

    @property
    def metrics(self) -> AsyncMetrics:
        return AsyncMetrics(self._transport)

    @property
    def lakes(self) -> AsyncLakes:
        return AsyncLakes(self._transport)

    @property
    def ponds(self) -> AsyncPonds:
        return AsyncPonds(self._transport)

    @property
    def buckets(self) -> AsyncBuckets:
        return AsyncBuckets(self._transport)

    @property
    def event_log(self) -> AsyncEvents:
        return AsyncEvents(self._transport)

    @property
    def webhooks(self) -> AsyncWebhooks:
        return AsyncWebhooks(self._transport)

    @property
    def jobs(self) -> AsyncJobs:
        return AsyncJobs(self._transport)

    @property
    def deliveries(self) -> AsyncDeliveries:
        return AsyncDeliveries(self._transport)

    @property
    def accounts(self) -> AsyncAccounts:
        return AsyncAccounts(self._transport)

    @property
    def keys(self) -> AsyncKeys:
        return AsyncKeys(self._transport)

    @property
    def tokens(self) -> AsyncTokens:
        return AsyncTokens(self._transport)

    @property
    def activity(self) -> AsyncActivity:
        return AsyncActivity(self._transport)

    @property
    def system(self) -> AsyncSystem:
        return AsyncSystem(self._transport)
