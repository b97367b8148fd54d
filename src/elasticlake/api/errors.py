"""What each error becomes on the wire: the one place that maps the domain's errors to statuses.

Problem documents follow RFC 9457; `errors` names each field at fault, in the caller's own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from elasticlake import errors
from elasticlake.api.faults import in_words

MEDIA_TYPE = "application/problem+json"
_REALM = 'Bearer realm="elasticlake"'
_log = structlog.get_logger("api")


class Unauthenticated(errors.ElasticLakeError):
    """The call carries no token, or one that is not known here."""

    def __init__(self, *, token_given: bool) -> None:
        super().__init__("The token is not valid." if token_given else "Send a token: Authorization: Bearer <token>.")
        self.token_given = token_given


# An error takes the status of the first of its classes that is listed here.
STATUSES: dict[type[errors.ElasticLakeError], int] = {
    Unauthenticated: 401,
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.EventsExpired: 410,
    errors.PositionExpired: 410,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.NotModified: 304,
    errors.AccessDenied: 403,
    errors.InvalidPart: 422,
    errors.InvalidPartOrder: 422,
    errors.EntityTooSmall: 422,
    errors.EntityTooLarge: 413,
    errors.ChecksumMismatch: 422,
    errors.IncompleteBody: 400,
    errors.OutcomeUnknown: 504,
    errors.Unavailable: 503,
}


def status_of(error: errors.ElasticLakeError) -> int:
    """The HTTP status of a domain error; 500 for one that no caller can cause."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def problem(
    status: int, detail: str, *, kind: str | None = None, headers: dict[str, str] | None = None, **members: Any
) -> Response:
    """A problem document. `kind` names the problem's type; without one the status says it all."""
    document = {
        "type": f"urn:elasticlake:problem:{_kebab(kind)}" if kind else "about:blank",
        "title": _kebab(kind).replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [],
        **members,
    }
    return JSONResponse(document, status, headers, MEDIA_TYPE)


def internal_error() -> Response:
    """What the caller learns of a fault of ours; the log has the rest, under the request's id."""
    return problem(500, "The server made a mistake. The x-request-id of this answer finds it in the log.")


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(errors.ElasticLakeError, _answer_domain_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_fault)


async def _answer_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ElasticLakeError)
    status = status_of(error)
    if status >= 500 and not isinstance(error, errors.Unavailable):
        log_fault(request.state.request_id, error)
        return internal_error()
    members: dict[str, Any] = {}
    if isinstance(error, errors.InvalidInput):
        members["errors"] = [{"field": error.field, "detail": str(error)}]
    if isinstance(error, errors.EventsExpired):
        members["firstSequence"] = error.first_sequence
    return problem(status, str(error), kind=type(error).__name__, headers=_headers(error), **members)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem(400, f"The body is not JSON: {found[0].get('ctx', {}).get('error', 'it cannot be parsed')}.")
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body.field_info.annotation if body is not None else None
    members = [{"field": _field(one["loc"]), "detail": in_words(one, model)} for one in found]
    detail = "; ".join(f"{member['field']}: {member['detail'].rstrip('.')}" for member in members[:3])
    return problem(422, detail, kind="InvalidInput", errors=members)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    if error.detail == HTTPStatus(error.status_code).phrase:
        detail = f"{request.method} {request.url.path}: {error.detail}."
    else:
        detail = str(error.detail)
    return problem(error.status_code, detail, headers=headers)


async def _answer_fault(request: Request, error: Exception) -> Response:
    return internal_error()


def log_fault(request_id: str, error: BaseException) -> None:
    _log.error("request failed", request_id=request_id, exc_info=error)


def _headers(error: errors.ElasticLakeError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": f'{_REALM}, error="invalid_token"' if error.token_given else _REALM}
    may_repeat = isinstance(error, errors.Unavailable) and not isinstance(error, errors.OutcomeUnknown)
    return {"Retry-After": "1"} if may_repeat else {}


def _allowed_methods(request: Request) -> list[str]:
    """The methods of every route that the path matches, as our own description lists them."""
    methods = {"OPTIONS"}
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\\{[^/]*?\\}", "[^/]+", re.escape(template)), request.scope["path"]):
            methods |= {method.upper() for method in operations if method != "parameters"}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _field(location: Sequence[str | int]) -> str:
    """`("body", "scope", "lakes", 0)` as `scope.lakes.0`. A member's name may be no text that UTF-8 can write."""
    path = ".".join(str(part) for part in location[1:]) or str(location[0])
    return path.encode(errors="replace").decode()


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
