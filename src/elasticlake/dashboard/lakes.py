"""Lakes, their ponds, and the ponds' buckets."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import AlreadyExists, InvalidInput
from elasticlake.metadata.hierarchy import Pond
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.objects import Bucket
from elasticlake.service.pages import Page, PageRequest

_BUCKETS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class _PondView:
    """A pond and the first of its buckets."""

    pond: Pond
    buckets: Page[Bucket]


async def list_lakes(visit: Visit) -> Response:
    return await _lakes_page(visit)


async def create_lake(visit: Visit) -> Response:
    form = await visit.form()
    try:
        lake = await visit.services.hierarchy.create_lake(visit.token, form.text("lake"), form.text("name") or None)
    except (InvalidInput, AlreadyExists) as error:
        return await _lakes_page(visit, _faults(error, "lake"), form.values())
    return visit.redirect(f"{PREFIX}/lakes/{lake.slug}", f"Lake {lake.slug} was made.")


async def show_lake(visit: Visit) -> Response:
    return await _lake_page(visit)


async def rename_lake(visit: Visit) -> Response:
    slug, form = visit.path("lake"), await visit.form()
    try:
        await visit.services.hierarchy.rename_lake(visit.token, slug, form.text("name"))
    except InvalidInput as error:
        return await _lake_page(visit, {"rename": str(error)}, form.values())
    return visit.redirect(f"{PREFIX}/lakes/{slug}", "The lake has its new name.")


async def delete_lake(visit: Visit) -> Response:
    slug = visit.path("lake")
    await visit.services.hierarchy.delete_lake(visit.token, slug)
    return visit.redirect(f"{PREFIX}/", f"Lake {slug} was deleted.")


async def create_pond(visit: Visit) -> Response:
    lake, form = visit.path("lake"), await visit.form()
    try:
        pond = await visit.services.hierarchy.create_pond(
            visit.token, lake, form.text("pond"), form.text("name") or None
        )
    except (InvalidInput, AlreadyExists) as error:
        return await _lake_page(visit, _faults(error, "pond"), form.values())
    return visit.redirect(f"{PREFIX}/lakes/{lake}", f"Pond {pond.slug} was made.")


async def rename_pond(visit: Visit) -> Response:
    lake, pond, form = visit.path("lake"), visit.path("pond"), await visit.form()
    await visit.services.hierarchy.rename_pond(visit.token, lake, pond, form.text("name"))
    return visit.redirect(f"{PREFIX}/lakes/{lake}", "The pond has its new name.")


async def delete_pond(visit: Visit) -> Response:
    lake, pond = visit.path("lake"), visit.path("pond")
    await visit.services.hierarchy.delete_pond(visit.token, lake, pond)
    return visit.redirect(f"{PREFIX}/lakes/{lake}", f"Pond {pond} was deleted.")


async def create_bucket(visit: Visit) -> Response:
    """A bucket, and with it the lake and pond that its name asks for."""
    form = await visit.form()
    name = form.text("bucket")
    try:
        parse_bucket_name(name)
        await visit.services.buckets.create(visit.as_request, name)
    except (InvalidInput, AlreadyExists) as error:
        return await _lakes_page(visit, _faults(error, "bucket"), form.values())
    return visit.redirect(f"{PREFIX}/buckets/{name}", f"Bucket {name} was made.")


async def _lakes_page(
    visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None
) -> Response:
    page = await visit.services.hierarchy.list_lakes(visit.token, visit.page_request())
    return visit.page("lakes.html", title="Storage", page=page, faults=faults, values=values)


async def _lake_page(
    visit: Visit, faults: dict[str, str] | None = None, values: dict[str, str] | None = None
) -> Response:
    hierarchy, slug = visit.services.hierarchy, visit.path("lake")
    lake = await hierarchy.get_lake(visit.token, slug)
    page = await hierarchy.list_ponds(visit.token, slug, visit.page_request(25))
    ponds = [_PondView(pond, await _buckets(visit, f"{slug}--{pond.slug}")) for pond in page.items]
    return visit.page(
        "lake.html", title=lake.name, lake=lake, ponds=ponds, next_cursor=page.next_cursor, faults=faults, values=values
    )  # fmt: skip


async def _buckets(visit: Visit, pond: str) -> Page[Bucket]:
    return await visit.services.hierarchy.list_buckets(visit.token, PageRequest(limit=_BUCKETS_SHOWN), pond=pond)


def _faults(error: InvalidInput | AlreadyExists, field: str) -> dict[str, str]:
    """Which field is wrong, and why; what exists already is the name's fault."""
    return {error.field if isinstance(error, InvalidInput) else field: str(error)}
