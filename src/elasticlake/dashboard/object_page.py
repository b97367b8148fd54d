"""The page of one object: what it is, how it looks, and who was told of it."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.links import LIVES, is_browsable, signed_url
from elasticlake.dashboard.listing import DELIMITER, steps_to
from elasticlake.dashboard.preview import READ_BYTES, Preview, kind_of, read_preview
from elasticlake.dashboard.show import spoken
from elasticlake.dashboard.told import KINDS, Telling, read_telling
from elasticlake.dashboard.visit import Visit
from elasticlake.errors import InvalidInput, NoSuchKey
from elasticlake.service.access import may
from elasticlake.service.objects import Found


async def show_object(visit: Visit) -> Response:
    return await _page(visit, visit.query("key").encode())


async def make_link(visit: Visit) -> Response:
    """A link to give away: whoever has it may read the object, for as long as was chosen."""
    form = await visit.form()
    key, life = form.key("key"), form.text("seconds")
    if life not in map(str, LIVES):
        raise InvalidInput("seconds", "Choose for how long the link shall be good.")
    await visit.services.objects.find(visit.caller, visit.path("bucket"), key)
    path = signed_url(visit, "GET", key, (), int(life))
    url = f"{visit.request.url.scheme}://{visit.request.headers['host']}{path}"
    if "application/json" in visit.request.headers.get("accept", ""):
        return visit.json({"url": url, "life": LIVES[int(life)]})
    return await _page(visit, key, url)


async def _page(visit: Visit, key: bytes, link: str = "") -> Response:
    name = visit.path("bucket")
    found = await _find(visit, name, key)
    bucket = found.bucket if found is not None else await visit.services.buckets.get(visit.as_request, name, "list")
    telling = await read_telling(visit, key) if not link else Telling([], None)
    if found is None and not telling.events:
        raise NoSuchKey
    folder = key[: key.rstrip(DELIMITER).rfind(DELIMITER) + 1]
    return visit.page(
        "object.html",
        200 if found is not None else 404,
        title=spoken(key),
        bucket=bucket,
        key=key,
        version=found.version if found is not None else None,
        folder=folder,
        steps=steps_to(folder),
        name=key[len(folder) :],
        preview=await _preview(visit, found) if found is not None else None,
        is_browsable=is_browsable(key),
        may_delete=may(visit.caller, bucket, "delete", key),
        lives=LIVES,
        link=link,
        telling=telling,
        kinds=KINDS,
    )


async def _find(visit: Visit, name: str, key: bytes) -> Found | None:
    """The object; None if it is gone, whose events remain."""
    try:
        return await visit.services.objects.find(visit.caller, name, key)
    except NoSuchKey:
        return None


async def _preview(visit: Visit, found: Found) -> Preview:
    kind = kind_of(found.version)
    if kind not in ("csv", "json", "text"):
        return Preview(kind)
    pieces = [piece async for piece in visit.services.objects.read(found, 0, READ_BYTES)]
    return read_preview(kind, b"".join(pieces), found.version.size_bytes)
