"""Which problems an operation may answer: those that its module names, and those that follow from what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elasticlake.api.problems import MEDIA_TYPE, PROBLEMS, ProblemType, problem_document

_NAMES = "x-problems"
_OF_PATHS = {
    "/v1/accounts/{id}": "no-such-account",
    "/v1/accounts/{id}/keys/{accessKeyId}": "no-such-access-key",
    "/v1/tokens/{id}": "no-such-token",
    "/v1/lakes/{lake}": "no-such-lake",
    "/v1/lakes/{lake}/ponds/{pond}": "no-such-pond",
    "/v1/buckets/{bucket}": "no-such-bucket",
    "/v1/webhooks/{id}": "no-such-webhook",
    "/v1/deliveries/{id}": "no-such-delivery",
    "/v1/jobs/{id}": "no-such-job",
}
"""What may be missing below a path."""
_FAULTS = {"invalid-input", "invalid-bucket-name", "invalid-webhook"}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457). `type` is the path of a page that says what it means and what to do;"
    " `errors` names each field at fault, in the caller's spelling.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Which problem it is."},
        "title": {"type": "string", "description": "The same for people; of one type, always the same."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The answer's status."},
        "detail": {"type": "string", "description": "A sentence about this case."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldFault"}},
        "firstSequence": {
            "type": "integer",
            "description": "Of `events-expired` alone: the first event that the log holds.",
        },
    },
    "examples": [
        problem_document(
            PROBLEMS["invalid-webhook"],
            "Name exactly one of bucket, pond and lake.",
            errors=[{"field": "bucket", "detail": "Name exactly one of bucket, pond and lake."}],
        )
    ],
}
FIELD_FAULT: dict[str, Any] = {
    "type": "object",
    "description": "A field at fault, such as `filter.prefix.0`, and why.",
    "required": ["field", "detail"],
    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
    "examples": [{"field": "bucket", "detail": "Name exactly one of bucket, pond and lake."}],
}


def may_answer(*names: str) -> dict[str, Any]:
    """For an operation's `openapi_extra`: the problems that it may answer beside what `problems_of` adds."""
    return {_NAMES: [PROBLEMS[name].name for name in names]}


def add_refusals(document: dict[str, Any], operations: Iterator[tuple[str, str, dict[str, Any]]]) -> None:
    """Give every operation its answers with problems, one for each status."""
    components = document["components"]
    components["schemas"] |= {"Problem": PROBLEM, "FieldFault": FIELD_FAULT}
    shared = components.setdefault("responses", {})
    for path, method, operation in operations:
        by_status: dict[int, list[ProblemType]] = {}
        for name in problems_of(path, method, operation):
            by_status.setdefault(PROBLEMS[name].status, []).append(PROBLEMS[name])
        operation.pop(_NAMES, None)
        operation["responses"].pop("422", None)
        for status, kinds in sorted(by_status.items()):
            # Most operations refuse in the same words, so the answers are written once.
            key = ".".join(kind.name for kind in kinds)
            shared[key] = _response(kinds)
            operation["responses"][str(status)] = {"$ref": f"#/components/responses/{key}"}


def problems_of(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    """The names of the problems that an operation may answer, each once, in the order of the table."""
    found = {*operation.get(_NAMES, ()), "internal-error"}
    if not path.startswith("/v1/health"):
        found |= {"unauthenticated", "access-denied", "unavailable"}
    if "requestBody" in operation:
        found |= {"malformed-json", "body-too-large", "unsupported-media-type", "invalid-input"}
    if operation.get("parameters"):
        found.add("invalid-input")
    if method != "get":
        found.add("outcome-unknown")
    found |= {name for below, name in _OF_PATHS.items() if f"{path}/".startswith(f"{below}/")}
    return [name for name in PROBLEMS if name in found]


def _response(kinds: list[ProblemType]) -> dict[str, Any]:
    """An answer that is one of these problems, which have one status."""
    exact = {
        "required": ["type", "status"],
        "properties": {"type": {"enum": [kind.uri for kind in kinds]}, "status": {"const": kinds[0].status}},
    }
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{kind.name}`: {kind.meaning} {kind.remedy}" for kind in kinds),
        "content": {
            MEDIA_TYPE: {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "object", **exact}]},
                "examples": {kind.name: {"summary": kind.meaning, "value": _example(kind)} for kind in kinds},
            }
        },
    }
    headers = _headers(kinds)
    return {**response, "headers": headers} if headers else response


def _headers(kinds: list[ProblemType]) -> dict[str, Any]:
    """What such an answer has in its head, beside what every answer has."""
    if kinds[0].status == 401:
        described = "How to authenticate (RFC 6750)."
        return {"WWW-Authenticate": _header(described, 'Bearer realm="elasticlake"')}
    if kinds[0].status == 503:
        return {"Retry-After": _header("In how many seconds to repeat the call.", "1")}
    return {}


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"}, "example": example}


def _example(kind: ProblemType) -> dict[str, Any]:
    if kind.name == "events-expired":
        return problem_document(kind, "The log's first kept event has sequence 17.", firstSequence=17)
    faults = [{"field": "limit", "detail": "Write 1000 or less."}] if kind.name in _FAULTS else []
    return problem_document(kind, kind.meaning, errors=faults)
