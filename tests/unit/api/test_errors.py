"""Every error of the domain has its status."""

import inspect
from typing import Any

import pytest

from elasticlake import errors
from elasticlake.api.errors import Unauthenticated, problem_type

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


S3_ALONE = {
    errors.ElasticLakeError, errors.PreconditionFailed, errors.NotModified, errors.InvalidPart,
    errors.InvalidPartOrder, errors.EntityTooSmall, errors.EntityTooLarge, errors.ChecksumMismatch,
    errors.IncompleteBody,
}  # fmt: skip
"""What no call of the REST API can cause: if one did, that would be a mistake of ours."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_its_type_of_problem(kind: type[errors.ElasticLakeError]) -> None:
    found = problem_type(kind(*ARGUMENTS.get(kind, ())))
    assert (found.name == "internal-error") == (kind in S3_ALONE)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.NoSuchWebhook(), "no-such-webhook"),
        (errors.NoSuchUpload(), "not-found"),
        (errors.InvalidDestination("arn", "is unknown"), "invalid-input"),
        (errors.BucketAlreadyOwnedByYou(), "bucket-already-owned-by-you"),
        (errors.InsufficientStorage(), "insufficient-storage"),
        (Unauthenticated(token_given=True), "unauthenticated"),
    ],
)
def test_a_type_has_its_class_s_name_or_the_nearest_one_above(error: errors.ElasticLakeError, name: str) -> None:
    assert problem_type(error).name == name


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
    assert problem_type(error).status == status
