"""What each error becomes on the wire: the one place that maps the domain's errors to types of problems.

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
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from elasticlake import errors
from elasticlake.api.faults import in_words
from elasticlake.api.problems import MEDIA_TYPE, PROBLEMS, ProblemType, problem_document

_REALM = 'Bearer realm="elasticlake"'
_OF_STATUS = {
    400: "malformed-json",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "unsupported-media-type",
}
"""What the framework and we refuse by a status alone."""
_log = structlog.get_logger("api")


class Unauthenticated(errors.ElasticLakeError):
    """The call carries no token, or one that is not known here."""

    def __init__(self, *, token_given: bool) -> None:
        super().__init__("The token is not valid." if token_given else "Send a token: Authorization: Bearer <token>.")
        self.token_given = token_given


def problem_type(error: errors.ElasticLakeError) -> ProblemType:
    """The type named as the error's class is, or as the nearest one above it; a mistake of ours where none is."""
    names = (_kebab(kind.__name__) for kind in type(error).__mro__)
    return next((PROBLEMS[name] for name in names if name in PROBLEMS), PROBLEMS["internal-error"])


def problem(name: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """The answer with a problem of that type."""
    kind = PROBLEMS[name]
    return JSONResponse(problem_document(kind, detail, **members), kind.status, headers, MEDIA_TYPE)


def internal_error() -> Response:
    """What the caller learns of a fault of ours; the log has the rest, under the request's id."""
    return problem("internal-error", "The server made a mistake. The x-request-id of this answer finds it in the log.")


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(errors.ElasticLakeError, _answer_domain_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_fault)


async def _answer_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ElasticLakeError)
    kind = problem_type(error)
    if kind.name == "internal-error":
        log_fault(request.state.request_id, error)
        return internal_error()
    members: dict[str, Any] = {}
    if isinstance(error, errors.InvalidInput):
        members["errors"] = [{"field": error.field, "detail": str(error)}]
    if isinstance(error, errors.EventsExpired):
        members["firstSequence"] = error.first_sequence
    return problem(kind.name, str(error), headers=_headers(error), **members)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        reason = found[0].get("ctx", {}).get("error", "it cannot be parsed")
        return problem("malformed-json", f"The body is not JSON: {reason}.")
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body.field_info.annotation if body is not None else None
    members = [{"field": _field(one["loc"]), "detail": in_words(one, model)} for one in found]
    detail = "; ".join(f"{member['field']}: {member['detail'].rstrip('.')}" for member in members[:3])
    return problem("invalid-input", detail, errors=members)


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
    return problem(_OF_STATUS[error.status_code], detail, headers=headers)


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
    """The methods of every route that the path matches."""
    routes: list[APIRoute] = request.app.state.routes
    methods = {"OPTIONS"}
    for route in routes:
        if route.path_regex.fullmatch(request.scope["path"]):
            methods |= route.methods or set()
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _field(location: Sequence[str | int]) -> str:
    """`("body", "scope", "lakes", 0)` as `scope.lakes.0`. A member's name may be no text that UTF-8 can write."""
    path = ".".join(str(part) for part in location[1:]) or str(location[0])
    return path.encode(errors="replace").decode()


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
