"""Every error of ours is one of S3's."""

from __future__ import annotations

import inspect

import pytest

from elasticlake import errors
from elasticlake.s3.chunked import IncompleteBodyError
from elasticlake.s3.credentials import SignatureError
from elasticlake.s3.errors import CODES, S3Error, as_s3_error

OURS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.ElasticLakeError) and kind is not errors.ElasticLakeError
]


def made(kind: type[errors.ElasticLakeError]) -> errors.ElasticLakeError:
    """One of that kind, whatever it wants to know."""
    wanted = list(inspect.signature(kind).parameters.values())
    values = {"first_sequence": 1}
    required = [parameter for parameter in wanted if parameter.default is parameter.empty]
    names = [parameter.name for parameter in required if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    return kind(*(values.get(name, "text") for name in names))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", OURS)
def test_every_domain_error_is_one_of_s3(kind: type[errors.ElasticLakeError]) -> None:
    known = as_s3_error(made(kind))
    assert known is not None
    assert known.code in CODES
    assert known.status != 500


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (errors.NoSuchKey(), "NoSuchKey", 404),
        (errors.NoSuchUpload(), "NoSuchUpload", 404),
        (errors.BucketNotEmpty(), "BucketNotEmpty", 409),
        (errors.ChecksumMismatch("CRC32"), "BadDigest", 400),
        (errors.InsufficientStorage(), "ServiceUnavailable", 503),
        (errors.OutcomeUnknown(), "SlowDown", 503),
        (errors.InvalidInput("key", "Your key is too long"), "KeyTooLongError", 400),
        (errors.InvalidInput("key", "A key is UTF-8 text; this one is not."), "InvalidURI", 400),
        (errors.InvalidInput("partNumber", "text"), "InvalidArgument", 400),
        (IncompleteBodyError("reason"), "IncompleteBody", 400),
        (SignatureError("SignatureDoesNotMatch", "text"), "SignatureDoesNotMatch", 403),
        (S3Error("NotImplemented"), "NotImplemented", 501),
    ],
)
def test_codes(error: Exception, code: str, status: int) -> None:
    known = as_s3_error(error)
    assert known is not None
    assert (known.code, known.status) == (code, status)


def test_a_fault_of_ours_is_none() -> None:
    assert as_s3_error(ZeroDivisionError()) is None


def test_a_failed_precondition_names_its_header() -> None:
    known = as_s3_error(errors.PreconditionFailed("If-Match"))
    assert known is not None
    assert known.details == {"Condition": "If-Match"}
