"""Around every page: who looks, whether a form is ours, what a browser may do with the page, and every error."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from elasticlake.dashboard.errors import NotOurForm, status_of
from elasticlake.dashboard.services import Services
from elasticlake.dashboard.sessions import COOKIE
from elasticlake.dashboard.viewer import Viewer, recognize
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import ElasticLakeError, EntityTooLarge, Unavailable

MAX_BODY_BYTES = 1024 * 1024
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
_SAFE_METHODS = ("GET", "HEAD")
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_log = structlog.get_logger("dashboard")

Handler = Callable[[Visit], Awaitable[Response]]


def policy(host: str) -> str:
    """What a page may load (CSP 3). Scripts and styles come from our own folder alone: an object in a bucket is on the
    same host, and must not become a script of a page."""
    ours = f"{host}{PREFIX}/static/"
    return (
        f"default-src 'none'; script-src {ours}; style-src {ours}; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; frame-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Guarded:
    """An ASGI application that answers with a handler's page. `is_public` pages need no session."""

    def __init__(self, services: Services, handler: Handler, *, is_public: bool) -> None:
        self._services = services
        self._handler = handler
        self._is_public = is_public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(8).upper())
        request = Request(scope, _limited(receive))
        host = request.headers.get("host", "")
        if _HOST.fullmatch(host) is None:
            await Response("The Host header names no host.", 400)(scope, receive, send)
            return
        response = await self._answer(request)
        _harden(response, host, request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        visit = Visit(request, self._services, None)
        try:
            viewer = await self._viewer(request)
            visit = Visit(request, self._services, viewer)
            if request.method not in _SAFE_METHODS:
                await self._require_ours(visit, viewer)
            if viewer is None and not self._is_public:
                return _to_sign_in(visit)
            response = await self._handler(visit)
            renewed = self._services.sessions.renewed(viewer.session) if viewer is not None else None
            return visit.keep(response, renewed) if renewed is not None else response
        except ElasticLakeError as error:
            return self._error_page(visit, error)
        except Exception as error:
            _log.error("request failed", request_id=request.state.request_id, exc_info=error)
            return error_page(visit, 500, "The server made a mistake. Its log has the rest, under this request's id.")

    async def _viewer(self, request: Request) -> Viewer | None:
        cookie = request.cookies.get(COOKIE)
        session = self._services.sessions.unseal(cookie) if cookie else None
        return await recognize(self._services, session) if session is not None else None

    async def _require_ours(self, visit: Visit, viewer: Viewer | None) -> None:
        """Raise `NotOurForm` for what another site made the browser send."""
        headers = visit.request.headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site not in ("same-origin", "none"):
            raise NotOurForm
        if site is None and origin is not None and urlsplit(origin).netloc != headers.get("host"):
            raise NotOurForm
        if viewer is None or self._is_public:
            return
        sent = headers.get(CSRF_HEADER) or (await visit.form()).raw(CSRF_FIELD)
        if not hmac.compare_digest(sent.encode(), viewer.csrf_token.encode()):
            raise NotOurForm

    def _error_page(self, visit: Visit, error: ElasticLakeError) -> Response:
        status = status_of(error)
        if status >= 500 and not isinstance(error, Unavailable):
            _log.error("request failed", request_id=visit.request.state.request_id, exc_info=error)
            return error_page(visit, 500, "The server made a mistake. Its log has the rest, under this request's id.")
        return error_page(visit, status, str(error))


def error_page(visit: Visit, status: int, detail: str) -> Response:
    """A page that says what is wrong; a script is told in JSON."""
    if "application/json" in visit.request.headers.get("accept", ""):
        return visit.json({"detail": detail}, status)
    return visit.page("error.html", status, title="That did not work", detail=detail)


def _to_sign_in(visit: Visit) -> Response:
    request = visit.request
    if request.method not in _SAFE_METHODS or "application/json" in request.headers.get("accept", ""):
        return error_page(visit, 401, "Your session is over. Sign in again.")
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return visit.redirect(f"{PREFIX}/sign-in", **({} if target == f"{PREFIX}/" else {"next": target}))


def _harden(response: Response, host: str, request: Request) -> None:
    """What a browser must know of every page. A handler that sets a header of its own knows better."""
    for name, value in (
        ("Content-Security-Policy", policy(host)),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Cache-Control", "no-store"),
    ):
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = request.state.request_id


def _limited(receive: Receive) -> Receive:
    received_bytes = 0

    async def limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_BODY_BYTES:
            raise EntityTooLarge("A form has at most 1 MiB.")
        return message

    return limited
