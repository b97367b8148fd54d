"""The page of one object: what it is, how it looks, and who was told of it."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard.links import LIVES, is_browsable, signed_url
from elasticlake.dashboard.listing import DELIMITER, steps_to
from elasticlake.dashboard.preview import READ_BYTES, Preview, kind_of, read_preview
from elasticlake.dashboard.show import spoken
from elasticlake.dashboard.visit import Visit
from elasticlake.errors import InvalidInput
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
    found = await visit.services.objects.find(visit.caller, visit.path("bucket"), key)
    folder = key[: key.rstrip(DELIMITER).rfind(DELIMITER) + 1]
    return visit.page(
        "object.html",
        title=spoken(key),
        bucket=found.bucket,
        version=found.version,
        folder=folder,
        steps=steps_to(folder),
        name=key[len(folder) :],
        preview=await _preview(visit, found),
        is_browsable=is_browsable(key),
        may_delete=may(visit.caller, found.bucket, "delete", key),
        lives=LIVES,
        link=link,
    )


async def _preview(visit: Visit, found: Found) -> Preview:
    kind = kind_of(found.version)
    if kind not in ("csv", "json", "text"):
        return Preview(kind)
    pieces = [piece async for piece in visit.services.objects.read(found, 0, READ_BYTES)]
    return read_preview(kind, b"".join(pieces), found.version.size_bytes)
