"""Signs what an upload asks of S3, so that the bytes go from the browser to S3 and not through the dashboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.responses import Response

from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.links import is_browsable, signed_url
from elasticlake.dashboard.visit import Visit
from elasticlake.errors import InvalidInput
from elasticlake.model.objects import MAX_PARTS, require_key


@dataclass(frozen=True, slots=True)
class Signable:
    """A request of S3: its method, what its query always says, and which parameters the form gives."""

    method: str
    fixed: tuple[tuple[str, str], ...] = ()
    given: tuple[str, ...] = ()


OPERATIONS = {
    "PutObject": Signable("PUT"),
    "CreateMultipartUpload": Signable("POST", (("uploads", ""),)),
    "UploadPart": Signable("PUT", given=("partNumber", "uploadId")),
    "ListParts": Signable("GET", given=("part-number-marker", "uploadId")),
    "CompleteMultipartUpload": Signable("POST", given=("uploadId",)),
    "AbortMultipartUpload": Signable("DELETE", given=("uploadId",)),
}
"""What an upload needs, and nothing else is signed."""


async def presign(visit: Visit) -> Response:
    """The URL of one request; raises `InvalidInput`, `NoSuchBucket`, or `AccessDenied` where the viewer may not write.

    S3 asks again what the viewer's key may do when the request arrives."""
    form = await visit.form()
    key = _key(form)
    operation = OPERATIONS.get(form.text("operation"))
    if operation is None:
        raise InvalidInput("operation", f"Only these are signed: {', '.join(OPERATIONS)}.")
    await visit.services.buckets.get(visit.as_request, visit.path("bucket"), "write", key)
    query = (*operation.fixed, *_given(form, operation.given))
    return visit.json({"url": signed_url(visit, operation.method, key, query), "method": operation.method})


def _key(form: Form) -> bytes:
    key = require_key(form.key("key"))
    if not is_browsable(key):
        raise InvalidInput("key", 'A browser cannot send a name with "." or ".." between slashes. Use an S3 tool.')
    return key


def _given(form: Form, names: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        value = form.text(name)
        if not value or (name == "partNumber" and not _is_part_number(value)):
            raise InvalidInput(name, f"{name} is missing, or cannot be.")
        yield name, value


def _is_part_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_PARTS
