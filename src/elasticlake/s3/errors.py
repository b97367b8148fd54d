"""S3's error codes: which one each of our errors is on this protocol, and its XML.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from collections.abc import Mapping

from elasticlake import errors
from elasticlake.blobs.store import BlobMissing
from elasticlake.s3.chunked import ChunkedBodyError
from elasticlake.s3.credentials import SignatureError


class S3Error(Exception):
    """An error in S3's own terms. `details` are further elements of its XML."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        default_status, default_message = CODES.get(code, (400, code))
        super().__init__(message or default_message)
        self.code = code
        self.status = status or default_status
        self.message = message or default_message
        self.details = dict(details or {})


CODES: dict[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AccessForbidden": (403, "CORSResponse: CORS is not enabled for this bucket."),
    "AuthorizationHeaderMalformed": (400, "The authorization header that you provided is not valid."),
    "AuthorizationQueryParametersError": (400, "The authorization query parameters that you provided are not valid."),
    "BadDigest": (400, "The Content-MD5 or checksum value that you specified did not match what the server received."),
    "BadRequest": (400, "Bad Request"),
    "BucketAlreadyExists": (409, errors.BucketAlreadyExists.message),
    "BucketAlreadyOwnedByYou": (409, errors.BucketAlreadyOwnedByYou.message),
    "BucketNotEmpty": (409, errors.BucketNotEmpty.message),
    "EntityTooLarge": (400, errors.EntityTooLarge.message),
    "EntityTooSmall": (400, errors.EntityTooSmall.message),
    "IllegalLocationConstraintException": (400, "The specified location constraint is not valid."),
    "IncompleteBody": (400, errors.IncompleteBody.message),
    "InternalError": (500, "An internal error occurred. Try again."),
    "InvalidAccessKeyId": (403, "The AWS access key ID that you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 or checksum value that you specified is not valid."),
    "InvalidPart": (400, errors.InvalidPart.message),
    "InvalidPartNumber": (416, "The requested partnumber is not satisfiable"),
    "InvalidPartOrder": (400, errors.InvalidPartOrder.message),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedACLError": (
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MalformedTrailerError": (
        400,
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    ),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema"),
    "MaxMessageLengthExceeded": (400, "Your request was too large."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, errors.NoSuchBucket.message),
    "NoSuchKey": (404, errors.NoSuchKey.message),
    "NoSuchUpload": (404, errors.NoSuchUpload.message),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "NotModified": (304, "Not Modified"),
    "OperationAborted": (409, "A conflicting operation is currently in progress against this resource. Try again."),
    "PreconditionFailed": (412, errors.PreconditionFailed.message),
    "RequestHeaderSectionTooLarge": (400, "Your request's headers and query string exceed the maximum allowed size."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the server's time is too large."),
    "ServiceUnavailable": (503, "Service is unable to handle request."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature that the server calculated does not match the signature provided.",
    ),
    "SlowDown": (503, "Please reduce your request rate."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match what was computed."),
}

_BY_CLASS: dict[type[errors.ElasticLakeError], str] = {
    BlobMissing: "InternalError",
    errors.InvalidBucketName: "InvalidBucketName",
    errors.InvalidInput: "InvalidArgument",
    errors.NoSuchAccessKey: "InvalidAccessKeyId",
    errors.NoSuchBucket: "NoSuchBucket",
    errors.NoSuchKey: "NoSuchKey",
    errors.NoSuchUpload: "NoSuchUpload",
    errors.NotFound: "NoSuchKey",
    errors.BucketAlreadyExists: "BucketAlreadyExists",
    errors.BucketAlreadyOwnedByYou: "BucketAlreadyOwnedByYou",
    errors.BucketNotEmpty: "BucketNotEmpty",
    errors.Conflict: "OperationAborted",
    errors.PreconditionFailed: "PreconditionFailed",
    errors.NotModified: "NotModified",
    errors.AccessDenied: "AccessDenied",
    errors.InvalidPart: "InvalidPart",
    errors.InvalidPartOrder: "InvalidPartOrder",
    errors.EntityTooSmall: "EntityTooSmall",
    errors.EntityTooLarge: "EntityTooLarge",
    errors.ChecksumMismatch: "BadDigest",
    errors.IncompleteBody: "IncompleteBody",
    errors.InsufficientStorage: "ServiceUnavailable",
    errors.Unavailable: "SlowDown",
}


def argument(name: str, value: str) -> dict[str, str]:
    """The details of an InvalidArgument: which one, and what it was or is wrong about it."""
    return {"ArgumentName": name, "ArgumentValue": value}


def as_s3_error(error: Exception) -> S3Error | None:
    """What `error` is on this protocol; None for one that nobody foresaw."""
    if isinstance(error, S3Error):
        return error
    if isinstance(error, SignatureError):
        return S3Error(error.code, error.message, details=error.details)
    if isinstance(error, ChunkedBodyError):
        return S3Error(error.code, error.message)
    if not isinstance(error, errors.ElasticLakeError):
        return None
    if isinstance(error, errors.InvalidInput) and error.field == "key":
        return _key_error(str(error))
    if isinstance(error, errors.InvalidDestination):
        return S3Error("InvalidArgument", str(error), details=argument(error.field, error.reason))
    details = {"Condition": error.condition} if isinstance(error, errors.PreconditionFailed) else {}
    for kind in type(error).__mro__:
        if kind in _BY_CLASS:
            return S3Error(_BY_CLASS[kind], str(error), details=details)
    return None


def _key_error(message: str) -> S3Error:
    code = "KeyTooLongError" if "long" in message else "InvalidURI" if "UTF-8" in message else "InvalidArgument"
    return S3Error(code, message)
