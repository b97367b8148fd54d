"""GetBucketNotificationConfiguration, PutBucketNotificationConfiguration."""

from __future__ import annotations

from elasticlake.s3.document import read_document
from elasticlake.s3.notification_document import read_configuration, write_configuration
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response, xml_response

SKIP_VALIDATION = "x-amz-skip-destination-validation"


async def get_bucket_notification_configuration(services: Services, request: S3Request) -> Response:
    entries = await services.notifications.get(request.context, request.bucket_name)
    return xml_response(write_configuration(entries))


async def put_bucket_notification_configuration(services: Services, request: S3Request) -> Response:
    """Replace it. The header to skip validation spares the destinations the test event; they must exist all the same,
    since the bucket's webhooks are made from them."""
    request.require_signer()
    wanted = read_configuration(await read_document(request))
    skips = request.headers.get(SKIP_VALIDATION, "").lower() == "true"
    await services.notifications.put(request.context, request.bucket_name, wanted, sends_test=not skips)
    return Response()
