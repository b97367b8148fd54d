"""The types of problems: what each means, its status, and what to do about it.

A problem document's `type` is the path of a page that says the same to a reader (RFC 9457, section 3.1.1). Names are
never changed and never used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"
PREFIX = "/v1/problems/"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of refusal: `meaning` and `remedy` are sentences for the caller."""

    name: str
    status: int
    meaning: str
    remedy: str

    @property
    def uri(self) -> str:
        """What a problem document has as its `type`: a path of the server that answers."""
        return PREFIX + self.name

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").capitalize()


_LOOK_AGAIN = "Look for it in the list; what another account owns is not shown to a token that is limited to some."
_NAMES_THE_FIELD = "`errors` names each field at fault and says why: correct those."
_ALL = (
    ProblemType("malformed-json", 400, "The body is not JSON.", "Send one JSON document, in UTF-8."),
    ProblemType(
        "unauthenticated",
        401,
        "The call has no token, or one that is not known here.",
        "Send `Authorization: Bearer <token>`, with a token of this server that was not deleted.",
    ),
    ProblemType(
        "access-denied",
        403,
        "The token is known, and may not do this.",
        "Use a token that may: one to write with, for that account, or for every account.",
    ),
    ProblemType(
        "not-found",
        404,
        "Nothing answers at this path.",
        "Look at the path: it has no slash at its end, and names in it are percent-encoded.",
    ),
    ProblemType("no-such-account", 404, "The account does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-access-key", 404, "The account has no such access key.", _LOOK_AGAIN),
    ProblemType("no-such-token", 404, "The token does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-lake", 404, "The lake does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-pond", 404, "The pond does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-bucket", 404, "The bucket does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-webhook", 404, "The webhook does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-delivery", 404, "The delivery does not exist.", _LOOK_AGAIN),
    ProblemType("no-such-job", 404, "The job does not exist.", _LOOK_AGAIN),
    ProblemType(
        "method-not-allowed",
        405,
        "The path does not take this method.",
        "Use one of those that the header `Allow` names.",
    ),
    ProblemType(
        "not-acceptable",
        406,
        "The answer exists only in a form that `Accept` leaves out.",
        "Events of a lake or a pond are a stream: ask with `Accept: text/event-stream`.",
    ),
    ProblemType(
        "conflict",
        409,
        "The call contradicts what is there.",
        "`detail` says what stands in its way: look at the thing as it is now.",
    ),
    ProblemType("already-exists", 409, "Another has this id or name.", "Use what is there, or choose another name."),
    ProblemType("bucket-already-exists", 409, "The bucket's name belongs to another account.", "Choose another name."),
    ProblemType(
        "bucket-already-owned-by-you", 409, "The account owns this bucket already.", "Nothing: the bucket is there."
    ),
    ProblemType("not-empty", 409, "It still holds something.", "Delete first what `detail` names."),
    ProblemType("bucket-not-empty", 409, "The bucket still has objects.", "Delete its objects first."),
    ProblemType(
        "too-many-jobs", 409, "The webhook has as many running jobs as it may have.", "Wait for one, or cancel one."
    ),
    ProblemType(
        "too-many-buckets",
        409,
        "More buckets have something new at once than a position can name.",
        "Stream its ponds or its buckets one by one.",
    ),
    ProblemType(
        "events-expired",
        410,
        "The log no longer holds the events asked for.",
        "Go on from `firstSequence`, the first event that it holds; a backfill tells of the objects that exist.",
    ),
    ProblemType(
        "position-expired",
        410,
        "The log no longer holds what follows this position of a stream.",
        "Begin without a position; a backfill tells of the objects that exist.",
    ),
    ProblemType("body-too-large", 413, "The body has more than 1 MiB.", "Send less at once."),
    ProblemType(
        "unsupported-media-type", 415, "The body is not declared as JSON.", "Send `Content-Type: application/json`."
    ),
    ProblemType("invalid-input", 422, "A value that was sent cannot be taken.", _NAMES_THE_FIELD),
    ProblemType("invalid-bucket-name", 422, "No bucket can have this name.", _NAMES_THE_FIELD),
    ProblemType("invalid-webhook", 422, "No webhook can be so.", _NAMES_THE_FIELD),
    ProblemType(
        "internal-error",
        500,
        "The server made a mistake.",
        "Tell the operator the answer's `x-request-id`, which finds it in the log.",
    ),
    ProblemType(
        "unavailable",
        503,
        "The server cannot do it now. Nothing was changed.",
        "Repeat it after `Retry-After` seconds.",
    ),
    ProblemType(
        "insufficient-storage",
        503,
        "The server's free disk space is below its reserve: nothing is made until space is freed.",
        "Free space, or tell the operator; `Retry-After` is a hint.",
    ),
    ProblemType(
        "outcome-unknown",
        504,
        "The database was lost while it committed: the change was made, or not.",
        "Look whether it was made before you repeat it.",
    ),
)
PROBLEMS: dict[str, ProblemType] = {kind.name: kind for kind in _ALL}


def problem_document(kind: ProblemType, detail: str, **members: Any) -> dict[str, Any]:
    """A problem of that type (RFC 9457), with `errors`, which names no field unless `members` says otherwise."""
    document = {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": detail, "errors": []}
    return document | members
