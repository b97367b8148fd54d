"""The account that a client believes a bucket to belong to: one that is another's is not touched.

Source: "Verifying bucket ownership with bucket owner condition", Amazon S3 User Guide.
"""

from __future__ import annotations

from elasticlake.model.accounts import canonical_id
from elasticlake.s3.errors import S3Error
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request

OF_BUCKET = "x-amz-expected-bucket-owner"
OF_SOURCE = "x-amz-source-expected-bucket-owner"


async def check_owner(services: Services, request: S3Request, bucket_name: str, header: str = OF_BUCKET) -> None:
    """Raises `S3Error` AccessDenied if the header names another account than the bucket's, by id or canonical id."""
    expected = request.headers.get(header)
    if expected is None:
        return
    owner = await services.buckets.owner_of(bucket_name)
    if expected not in (owner, canonical_id(owner)):
        raise S3Error("AccessDenied")
