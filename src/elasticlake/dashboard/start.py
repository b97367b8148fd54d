"""The first visit: from nothing to a received webhook, by clicks alone."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from elasticlake.dashboard import snippets
from elasticlake.dashboard.catcher import Place, is_catchers
from elasticlake.dashboard.errors import NoSuchPage
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import AlreadyExists, InvalidInput, NoSuchWebhook
from elasticlake.model.accounts import ROOT_ACCOUNT
from elasticlake.model.events import EVENT_TYPES
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.objects import Attributes
from elasticlake.model.webhooks import Webhook
from elasticlake.service import webhook_definitions
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, WebhookChange
from elasticlake.service.whole_body import WholeBody

START = f"{PREFIX}/start"
EXAMPLE_BUCKET = "lake1--pond1--my-bucket"
_BUCKETS_OFFERED = 100
_WEBHOOKS_LOOKED_AT = 200
_KEY = b"elasticlake-start/hello.txt"
"""In a folder of the page's own: nothing of the user's is written over."""
_WEBHOOK_NAME = "Catcher of the start page"
_ARRIVAL_SECONDS = 2.0
_RETRY_SECONDS = (1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far the visitor has come. `bucket` is empty until there is one; `place` is where its events are caught.

    `forgotten` is the webhook that this page made and whose events nobody catches any more. `may_upload` holds where
    the viewer may, and who is to be told of it is there.
    """

    buckets: list[str]
    bucket: str
    place: Place | None
    forgotten: Webhook | None
    may_write: bool
    may_upload: bool

    @property
    def step(self) -> int:
        """What is to be done next: 1 a bucket, 3 a webhook, 4 an upload, 6 nothing more. 2 and 5 need nobody's
        hands."""
        if not self.bucket:
            return 1
        if self.place is None:
            return 3
        return 6 if self.place.caught else 4


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def create_bucket(visit: Visit) -> Response:
    form = await visit.form()
    name = form.text("bucket")
    try:
        parse_bucket_name(name)
        await visit.services.buckets.create(visit.as_request, name)
    except (InvalidInput, AlreadyExists) as error:
        return await _page(visit, {"bucket": str(error)}, form.values())
    return visit.redirect(START, f"Bucket {name} was made.", bucket=name)


async def create_webhook(visit: Visit) -> Response:
    """A webhook whose receiver is the catcher."""
    bucket = (await visit.form()).text("bucket")
    catchers = visit.services.catchers
    if catchers is None:
        raise NoSuchPage("This server has no catcher: it is not a developer's own.")
    await visit.services.hierarchy.get_bucket(visit.token, bucket, "admin")
    forgotten = await _earlier_webhook(visit, bucket)
    place = await catchers.open(bucket)
    if forgotten is None:
        made, _ = await visit.services.webhooks.create(visit.token, _webhook_for(place))
    else:
        change = WebhookChange(endpoint=place.url, secret=place.secret, status="enabled")
        made = await visit.services.webhooks.change(visit.token, forgotten.id, change)
    place.webhook_id = made.id
    return visit.redirect(START, "The webhook was made.", bucket=bucket)


async def upload(visit: Visit) -> Response:
    """Store the form's text as an object: an event like any other."""
    form = await visit.form()
    name, key = form.text("bucket"), _KEY
    objects, body = visit.services.objects, WholeBody(form.raw("text").encode())
    bucket = await objects.authorize_put(visit.as_request, name, key)
    place = await _place(visit, name)
    count = place.count + 1 if place is not None else 0
    await objects.put(visit.as_request, bucket, key, body, Attributes("text/plain; charset=utf-8"))
    if place is not None:
        # It comes within milliseconds: then the next page shows it at once.
        await place.wait_for(count, _ARRIVAL_SECONDS)
    if place is None and _catches(visit, name):
        return visit.redirect(
            START, f"{snippets.KEY} was stored, and nobody catches the event: make the webhook.", bucket=name
        )
    return visit.redirect(START, "hello.txt was stored.", bucket=name)


async def caught(visit: Visit) -> Response:
    """What has been caught, as a piece of the page."""
    return visit.fragment("start_caught.html", place=await _place(visit, visit.query("bucket")))


async def remove_webhook(visit: Visit) -> Response:
    """End what the page has begun: the bucket stays."""
    bucket = (await visit.form()).text("bucket")
    place = await _place(visit, bucket)
    if place is not None and visit.services.catchers is not None:
        await visit.services.webhooks.delete(visit.token, place.webhook_id)
        visit.services.catchers.forget(place)
    return visit.redirect(START, "The webhook was deleted.", bucket=bucket)


def _webhook_for(place: Place) -> NewWebhook:
    return NewWebhook(
        place=webhook_definitions.Place(bucket=place.bucket),
        endpoint=place.url,
        events=EVENT_TYPES,
        secret=place.secret,
        retry_schedule_seconds=_RETRY_SECONDS,
        name=_WEBHOOK_NAME,
    )


async def _earlier_webhook(visit: Visit, bucket: str) -> Webhook | None:
    """The one that this page made before the catcher forgot it, as when the server ended."""
    page = await visit.services.webhooks.list(
        visit.token, PageRequest(limit=_WEBHOOKS_LOOKED_AT), webhook_definitions.Place(bucket=bucket)
    )
    known = (webhook for webhook in page.items if webhook.name == _WEBHOOK_NAME)
    return next((webhook for webhook in known if is_catchers(webhook.endpoint)), None)


async def _page(visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    standing = await _standing(visit)
    url, key_id, example = visit.services.public_url, visit.viewer.key.id, standing.bucket or EXAMPLE_BUCKET
    return visit.page(
        "start.html",
        title="Start here",
        standing=standing,
        has_catcher=visit.services.catchers is not None,
        is_roots=visit.viewer.key.account_id == ROOT_ACCOUNT and key_id == visit.services.root_key_id,
        listen=snippets.listen(url, example),
        environment=snippets.environment(url, key_id),
        snippets=[*snippets.for_s3(example), snippets.for_rest(url, example)],
        example=EXAMPLE_BUCKET,
        faults=faults,
        values=values,
    )


async def _standing(visit: Visit) -> _Standing:
    asked = visit.query("bucket")
    if asked:
        await visit.services.hierarchy.get_bucket(visit.token, asked)
    names = await _bucket_names(visit) if visit.viewer.may("list") else []
    bucket = asked or (names[0] if names else "")
    buckets = sorted({*names, bucket} - {""})
    if not bucket:
        may_write = visit.viewer.may("write")
        return _Standing(buckets, "", None, None, may_write, may_upload=False)
    place, catches = await _place(visit, bucket), _catches(visit, bucket)
    forgotten = await _earlier_webhook(visit, bucket) if place is None and catches else None
    may_write = visit.caller.scope.allows("write", parse_bucket_name(bucket), _KEY)
    return _Standing(buckets, bucket, place, forgotten, may_write, may_write and (place is not None or not catches))


def _catches(visit: Visit, bucket: str) -> bool:
    """Whether the viewer may have the bucket's events caught here."""
    return visit.services.catchers is not None and visit.viewer.may_in("admin", "bucket", bucket)


async def _bucket_names(visit: Visit) -> list[str]:
    page = await visit.services.hierarchy.list_buckets(visit.token, PageRequest(limit=_BUCKETS_OFFERED))
    return [bucket.name.name for bucket in page.items]


async def _place(visit: Visit, bucket: str) -> Place | None:
    """Where the bucket's events are caught, if the viewer may see the webhook, and it still calls there."""
    catchers = visit.services.catchers
    place = catchers.of_bucket(bucket) if catchers is not None else None
    if place is None or not visit.viewer.may_in("admin", "bucket", bucket):
        return None
    try:
        webhook = await visit.services.webhooks.get(visit.token, place.webhook_id)
    except NoSuchWebhook:
        return None
    return place if webhook.endpoint == place.url else None
