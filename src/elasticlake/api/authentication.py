"""Bearer tokens (RFC 6750), looked at before a byte of the body is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from elasticlake.api.errors import Unauthenticated
from elasticlake.errors import AccessDenied
from elasticlake.model.accounts import Token
from elasticlake.service.tokens import Tokens, require_write

_READING_METHODS = frozenset({"GET", "HEAD"})


class AuthenticatedRoute(APIRoute):
    """A route that knows its caller before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def authenticated(request: Request) -> Response:
            request.state.token = await authenticate(request)
            if takes_body:
                _require_json(request)
            return await handle(request)

        return authenticated


async def authenticate(request: Request) -> Token:
    """The call's token; raises `Unauthenticated`, and `AccessDenied` where one to read with would change things."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    bearer = bearer.strip()
    if scheme.lower() != "bearer" or not bearer:
        raise Unauthenticated(token_given=False)
    tokens: Tokens = request.app.state.services.tokens
    try:
        token = await tokens.authenticate(bearer)
    except AccessDenied:
        raise Unauthenticated(token_given=True) from None
    if request.method not in _READING_METHODS:
        require_write(token)
    return token


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json")):
        return
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise HTTPException(415, "Send JSON, with Content-Type: application/json.")
