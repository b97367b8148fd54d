"""A bucket's settings, in tabs: what it is, who reaches it, who is told of its changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.dashboard.webhook_list import Row, rows_of
from elasticlake.errors import AccessDenied, BucketNotEmpty, InvalidInput, NotFound
from elasticlake.model.accounts import ROOT_ACCOUNT, AccessKey, Permission
from elasticlake.model.objects import ACLS, Bucket
from elasticlake.service.access import may
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import Place

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Reach:
    """An access key, and what it may do in the bucket."""

    key: AccessKey
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """The webhooks made for one place that are told of the bucket."""

    kind: str
    name: str
    rows: list[Row]


async def show(visit: Visit) -> Response:
    return await _general(visit)


async def delete(visit: Visit) -> Response:
    bucket = await _bucket(visit)
    try:
        await visit.services.buckets.delete(visit.as_request, bucket.name.name)
    except BucketNotEmpty:
        return await _general(visit, {"delete": "It still has objects: delete those first."})
    return visit.redirect(f"{PREFIX}/lakes/{bucket.name.lake}", f"Bucket {bucket.name.name} was deleted.")


async def show_access(visit: Visit) -> Response:
    bucket = await _bucket(visit)
    return _page(visit, "bucket_access.html", bucket, "Access", keys=await _keys(visit, bucket))


async def change_access(visit: Visit) -> Response:
    bucket, form = await _bucket(visit), await visit.form()
    acl = next((acl for acl in ACLS if acl == form.text("acl")), None)
    if acl is None:
        raise InvalidInput("acl", f"Choose {' or '.join(ACLS)}.")
    await visit.services.buckets.set_acl(visit.as_request, bucket.name.name, acl)
    words = "Anyone can list the bucket now." if acl == "public-read" else "The bucket is private now."
    return visit.redirect(f"{PREFIX}/buckets/{bucket.name.name}/settings/access", words)


async def show_webhooks(visit: Visit) -> Response:
    """The bucket's own webhooks, and those of its pond and lake that are told of it."""
    bucket = await _bucket(visit)
    name = bucket.name
    places = [
        ("bucket", name.name, Place(bucket=name.name)),
        ("pond", f"{name.lake}--{name.pond}", Place(pond=f"{name.lake}--{name.pond}")),
        ("lake", name.lake, Place(lake=name.lake)),
    ]
    told = [_Told(kind, place, await _rows(visit, where, bucket)) for kind, place, where in places]
    return _page(visit, "bucket_webhooks.html", bucket, "Webhooks", told=told)


async def _general(visit: Visit, faults: dict[str, str] | None = None) -> Response:
    bucket = await _bucket(visit)
    return _page(visit, "bucket_settings.html", bucket, "General", faults=faults)


def _page(
    visit: Visit, template: str, bucket: Bucket, tab: str, /, faults: dict[str, str] | None = None, **context: Any
) -> Response:
    return visit.page(
        template,
        title=f"Settings of {bucket.name.name}",
        faults=faults,
        bucket=bucket,
        tab=tab,
        may_change=may(visit.caller, bucket, "admin"),
        **context,
    )


async def _bucket(visit: Visit) -> Bucket:
    return await visit.services.hierarchy.get_bucket(visit.token, visit.path("bucket"))


async def _keys(visit: Visit, bucket: Bucket) -> list[_Reach]:
    """The keys of the bucket's account that may do something in it, and root's where the viewer may see them."""
    keys: list[AccessKey] = []
    for account in dict.fromkeys((bucket.account_id, ROOT_ACCOUNT)):
        try:
            page = await visit.services.accounts.list_keys(visit.token, account, PageRequest(limit=_SHOWN))
        except (AccessDenied, NotFound):
            continue
        keys += page.items
    reach = [_Reach(key, key.scope.within(bucket.name)) for key in keys]
    return [one for one in reach if one.permissions]


async def _rows(visit: Visit, place: Place, bucket: Bucket) -> list[Row]:
    page = await visit.services.webhooks.list(visit.token, PageRequest(limit=_SHOWN), place)
    return await rows_of(visit, [webhook for webhook in page.items if webhook.account_id == bucket.account_id])
