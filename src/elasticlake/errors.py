"""What can go wrong in ElasticLake's own words.

The domain raises these; only a protocol layer knows what they become (an S3 error code, a problem document, a line on
the terminal). The tree::

    ElasticLakeError
    ├── InvalidInput              a field that a caller sent is wrong; names the field
    │   ├── InvalidBucketName
    │   ├── InvalidWebhook
    │   └── InvalidDestination
    ├── NotFound
    │   ├── NoSuchAccount, NoSuchLake, NoSuchPond, NoSuchBucket, NoSuchKey, NoSuchUpload,
    │   └── NoSuchAccessKey, NoSuchToken, NoSuchWebhook, NoSuchDelivery, NoSuchJob
    ├── Conflict
    │   ├── AlreadyExists, BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty, NotEmpty
    │   └── EventsExpired, PositionExpired, TooManyBuckets, TooManyJobs
    ├── PreconditionFailed, NotModified, AccessDenied
    ├── InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge, ChecksumMismatch
    ├── IncompleteBody
    └── Unavailable               try again later: draining, disk full, a lost connection
        └── InsufficientStorage, OutcomeUnknown
"""

from __future__ import annotations


def how_to_install(extras: str) -> str:
    """What to do about libraries that are missing; `extras` are those of the package, with commas."""
    return f"install elasticlake[{extras}], in a clone by: pip install '.[{extras}]'"


class ElasticLakeError(Exception):
    """Base of all our errors; `str(error)` is a sentence for the caller."""

    message = "Something went wrong."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class InvalidInput(ElasticLakeError):
    """A value that the caller sent cannot be accepted; `field` names it in the caller's own terms."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidBucketName(InvalidInput):
    """The bucket name breaks S3's rules or the lake--pond--bucket form."""

    def __init__(self, message: str) -> None:
        super().__init__("bucket", message)


class InvalidWebhook(InvalidInput):
    """A webhook's definition is wrong in the named field."""


class InvalidDestination(InvalidInput):
    """A notification configuration names what cannot be told of the bucket's events: `field` is the ARN, `reason` says
    why, in a sentence that begins with "The destination"."""

    def __init__(self, field: str, predicate: str) -> None:
        super().__init__(field, f"Unable to validate the following destination configurations: {field} {predicate}")
        self.reason = f"The destination {predicate}"


class NotFound(ElasticLakeError):
    """The named thing does not exist, or the caller may not know that it does."""


class NoSuchAccount(NotFound):
    message = "The account does not exist."


class NoSuchLake(NotFound):
    message = "The lake does not exist."


class NoSuchPond(NotFound):
    message = "The pond does not exist."


class NoSuchBucket(NotFound):
    message = "The specified bucket does not exist"


class NoSuchKey(NotFound):
    message = "The specified key does not exist."


class NoSuchUpload(NotFound):
    message = (
        "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed."
    )


class NoSuchAccessKey(NotFound):
    message = "The access key does not exist."


class NoSuchToken(NotFound):
    message = "The token does not exist."


class NoSuchWebhook(NotFound):
    message = "The webhook does not exist."


class NoSuchDelivery(NotFound):
    message = "The delivery does not exist."


class NoSuchJob(NotFound):
    message = "The job does not exist."


class Conflict(ElasticLakeError):
    """The request contradicts the present state."""


class AlreadyExists(Conflict):
    message = "It already exists."


class BucketAlreadyExists(AlreadyExists):
    message = "The requested bucket name is not available. It belongs to another account."


class BucketAlreadyOwnedByYou(AlreadyExists):
    message = "Your previous request to create the named bucket succeeded and you already own it."


class NotEmpty(Conflict):
    message = "It is not empty."


class BucketNotEmpty(NotEmpty):
    message = "The bucket you tried to delete is not empty"


class EventsExpired(Conflict):
    """The log no longer holds the events asked for; `first_sequence` is the first that it does."""

    def __init__(self, first_sequence: int) -> None:
        super().__init__(f"The log's first kept event has sequence {first_sequence}.")
        self.first_sequence = first_sequence


class PositionExpired(Conflict):
    """Of one of the buckets that a position is of, the log no longer holds what follows."""

    def __init__(self, bucket: str, first_sequence: int) -> None:
        super().__init__(
            f"Events of bucket {bucket} that follow this position are gone: the first one kept has sequence "
            f"{first_sequence}. Start without a position."
        )


class TooManyJobs(Conflict):
    message = "The webhook has as many running jobs as it may have: wait for one to end, or cancel one."


class TooManyBuckets(Conflict):
    """More buckets have something new at once than a position can name."""


class PreconditionFailed(ElasticLakeError):
    """A condition on a request did not hold; `condition` is the header that asked for it."""

    message = "At least one of the pre-conditions you specified did not hold"

    def __init__(self, condition: str) -> None:
        super().__init__()
        self.condition = condition


class NotModified(ElasticLakeError):
    """The object is what the caller already has."""

    message = "Not Modified"


class AccessDenied(ElasticLakeError):
    message = "Access Denied"


class InvalidPart(ElasticLakeError):
    message = (
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag."
    )


class InvalidPartOrder(ElasticLakeError):
    message = "The list of parts was not in ascending order. Parts must be ordered by part number."


class EntityTooSmall(ElasticLakeError):
    message = "Your proposed upload is smaller than the minimum allowed size"


class EntityTooLarge(ElasticLakeError):
    message = "Your proposed upload exceeds the maximum allowed size"


class ChecksumMismatch(ElasticLakeError):
    """The bytes received are not the bytes that the sender described; nothing was stored."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(f"The {algorithm} you specified did not match the calculated checksum.")
        self.algorithm = algorithm


class IncompleteBody(ElasticLakeError):
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"


class Unavailable(ElasticLakeError):
    """Not now: the same request may succeed later."""

    message = "The service is unavailable for the moment. Please try again."


class InsufficientStorage(Unavailable):
    message = "The server's free disk space is below its reserve: writes are refused until space is freed."


class OutcomeUnknown(Unavailable):
    """The database was lost after it was told to commit, and before it said that it had: the change is made, or not."""

    message = (
        "The database was lost while it committed: whether the change was made is unknown. Look before you repeat it."
    )
