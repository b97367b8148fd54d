"""Every error of the domain has its status."""

import inspect
from typing import Any

import pytest

from elasticlake import errors
from elasticlake.api.errors import STATUSES, Unauthenticated, status_of

ARGUMENTS: dict[type[Exception], tuple[Any, ...]] = {
    errors.InvalidInput: ("field", "message"),
    errors.InvalidWebhook: ("field", "message"),
    errors.InvalidDestination: ("arn", "reason"),
    errors.InvalidBucketName: ("message",),
    errors.EventsExpired: (7,),
    errors.PositionExpired: ("bucket", 7),
    errors.PreconditionFailed: ("If-Match",),
    errors.ChecksumMismatch: ("crc32",),
}
KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ElasticLakeError)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.ElasticLakeError])
def test_every_error_is_mapped(kind: type[errors.ElasticLakeError]) -> None:
    assert status_of(kind(*ARGUMENTS.get(kind, ()))) in STATUSES.values()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NoSuchWebhook(), 404),
        (errors.InvalidBucketName("x"), 422),
        (errors.BucketNotEmpty(), 409),
        (errors.EventsExpired(3), 410),
        (errors.PositionExpired("bucket", 3), 410),
        (errors.TooManyBuckets("Too many."), 409),
        (errors.AccessDenied(), 403),
        (errors.InsufficientStorage(), 503),
        (errors.OutcomeUnknown(), 504),
        (Unauthenticated(token_given=False), 401),
        (errors.ElasticLakeError(), 500),
    ],
)
def test_the_nearest_class_decides(error: errors.ElasticLakeError, status: int) -> None:
    assert status_of(error) == status
