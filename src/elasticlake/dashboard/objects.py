"""The object browser: what is in a bucket, folder by folder."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.links import LIVES
from elasticlake.dashboard.listing import read_listing
from elasticlake.dashboard.visit import Visit
from elasticlake.model.accounts import Permission
from elasticlake.service.access import may


async def show_bucket(visit: Visit) -> Response:
    listing = await read_listing(visit)

    def allows(permission: Permission) -> bool:
        return may(visit.caller, listing.bucket, permission, listing.prefix)

    return visit.page(
        "bucket.html",
        title=listing.bucket.name.name,
        listing=listing,
        bucket=listing.bucket,
        may_read=allows("read"),
        may_write=allows("write"),
        may_delete=allows("delete"),
        may_administer=allows("admin"),
        lives=LIVES,
    )
