"""An object's bytes: from S3 itself, by a signed URL; through here only where a browser cannot ask for the key."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response, StreamingResponse

from elasticlake.dashboard.links import is_browsable, signed_url
from elasticlake.dashboard.visit import Visit
from elasticlake.service.objects import Found

_ODD = str.maketrans(dict.fromkeys('\\/:*?"<>|', "_"))


async def download(visit: Visit) -> Response:
    """The object, to be kept as a file; a picture or a film may show it all the same."""
    key = visit.query("key").encode()
    found = await visit.services.objects.find(visit.caller, visit.path("bucket"), key)
    disposition = f"attachment; filename*=UTF-8''{quote(file_name(key), safe='')}"
    if is_browsable(key):
        return RedirectResponse(signed_url(visit, "GET", key, [("response-content-disposition", disposition)]), 303)
    return _stream(visit, found, disposition)


def file_name(key: bytes) -> str:
    """What the file is called on the viewer's disk: the key's last name, without what no file system takes."""
    text = key.decode().rstrip("/").rpartition("/")[2].translate(_ODD)
    name = "".join(character if character.isprintable() else "_" for character in text)
    return name[-200:] if name.strip(". ") else "object"


def _stream(visit: Visit, found: Found, disposition: str) -> Response:
    version = found.version
    headers = {
        "Content-Disposition": disposition,
        "Content-Length": str(version.size_bytes),
        # A stranger's bytes on the dashboard's own host: as a page they must do nothing.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    encoding = version.attributes.headers.get("content-encoding")
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    body = visit.services.objects.read(found, 0, version.size_bytes)
    response = StreamingResponse(body, headers=headers)
    response.headers["Content-Type"] = version.attributes.content_type
    return response
