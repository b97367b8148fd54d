"""A webhook's receiver: verifies deliveries, hands their events to handlers, and answers; in any web framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, TypeVar

from elasticlake.webhooks.answer import NOT_POST, TOO_LARGE, Answer
from elasticlake.webhooks.errors import InvalidPayload, WebhookVerificationError
from elasticlake.webhooks.event import Event, EventType
from elasticlake.webhooks.events import parse_batch
from elasticlake.webhooks.guards.guard import Guard
from elasticlake.webhooks.guards.share import Share
from elasticlake.webhooks.handler import Handler, Texts, require_runs, require_types
from elasticlake.webhooks.handling import handle, log
from elasticlake.webhooks.headers import Headers
from elasticlake.webhooks.steps import Steps, run, run_async
from elasticlake.webhooks.verification import (
    STANDARD_ALONE,
    TOLERANCE_SECONDS,
    Scheme,
    live_secrets,
    require_schemes,
)

MAX_BODY_BYTES = 1024 * 1024 + 64 * 1024
"""A batch's events are 1 MiB at most."""

AnyFunction = TypeVar("AnyFunction", bound=Callable[[Event], Any])
AnyView = TypeVar("AnyView", bound=Callable[..., Any])


def _csrf_exempt(view: AnyView) -> AnyView:
    """To Django: the signature is what proves a delivery, and no form of ours has a token for it."""
    view.__dict__["csrf_exempt"] = True
    return view


class Receiver:
    """Answers deliveries: 204 when all their events are handled or nobody wants them, 401 for what is not verified, 400
    for what is no event, 500 when a handler raises, so that ElasticLake sends it again, and 409 while another process
    is at it. It is an ASGI application itself; `wsgi`, `flask`, `django` and `aiohttp` fit it into the others.

    `guard` keeps an event that comes twice from being handled twice. Receivers that share one, or its database, each
    need a `name`, the same after every restart. The other parameters are those of `verify`. Raises `InvalidSecret`, and
    ValueError where another receiver has the guard under the same name.
    """

    def __init__(
        self,
        secrets: str | Iterable[str],
        guard: Guard | None = None,
        *,
        name: str = "",
        tolerance_seconds: float = TOLERANCE_SECONDS,
        schemes: Sequence[Scheme] = STANDARD_ALONE,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._secrets = live_secrets(secrets)
        self._guard = None if guard is None else Share(guard, name)
        self._tolerance_seconds = tolerance_seconds
        self._schemes = tuple(require_schemes(schemes))
        self._handlers: list[Handler] = []
        self.max_body_bytes = max_body_bytes

    def on(
        self,
        *types: EventType,
        prefix: Texts = None,
        suffix: Texts = None,
        content_type: Texts = None,
        bucket: Texts = None,
    ) -> Callable[[AnyFunction], AnyFunction]:
        """Decorate a function, sync or async, that handles the events of these types; without types those of all.

        Each condition takes one text or several, of which any will do: what the key begins or ends with, media types
        (`image/*` for any image), buckets. An event goes to all functions that it fits, in their order; if one raises,
        the event counts as not handled by any. Raises ValueError for a type that there is not, TypeError for a
        generator function.
        """
        require_types(types)

        def add(function: AnyFunction) -> AnyFunction:
            require_runs(function)
            self._handlers.append(Handler.of(function, types, prefix, suffix, content_type, bucket))
            return function

        return add

    def handle(self, body: bytes, headers: Headers) -> Answer:
        """The answer to a POST, when its handlers are through. An async handler gets an event loop of its own."""
        return run(self._steps(body, headers))

    async def ahandle(self, body: bytes, headers: Headers) -> Answer:
        """The answer to a POST, when its handlers are through. Sync handlers and the guard run in threads."""
        return await run_async(self._steps(body, headers))

    def refusal(self, method: str, length_bytes: int | None = None) -> Answer | None:
        """The answer to a request whose body need not even be read; None if it must be."""
        if method != "POST":
            return NOT_POST
        return TOO_LARGE if length_bytes is not None and length_bytes > self.max_body_bytes else None

    def _steps(self, body: bytes, headers: Headers) -> Steps[Answer]:
        if len(body) > self.max_body_bytes:
            return TOO_LARGE
        try:
            events = parse_batch(
                body, headers, self._secrets, tolerance_seconds=self._tolerance_seconds, schemes=self._schemes
            )
        except WebhookVerificationError as error:
            log.info("A delivery was refused: %s", error)
            return Answer(401, str(error))
        except InvalidPayload as error:
            log.warning("A delivery was no event: %s", error)
            return Answer(400, str(error))
        return (yield from handle(events, self._handlers, self._guard))

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """ASGI: `app.mount("/hook", receiver)` in Starlette and FastAPI, or an application of its own."""
        from elasticlake.webhooks.mounts import asgi

        await asgi.serve(self, scope, receive, send)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI: an application."""
        from elasticlake.webhooks.mounts import wsgi

        return wsgi.serve(self, environ, start_response)

    def flask(self, app: Any, rule: str) -> Callable[[], Any]:
        """Flask: adds the rule to an application or a blueprint; returns the view, for extensions that ask for it."""
        from elasticlake.webhooks.mounts import flask

        return flask.mount(self, app, rule)

    @_csrf_exempt
    def django(self, request: Any) -> Any:
        """Django: `path("hook", receiver.django)`."""
        from elasticlake.webhooks.mounts import django

        return django.view(self, request)

    async def aiohttp(self, request: Any) -> Any:
        """aiohttp: `app.router.add_post("/hook", receiver.aiohttp)`."""
        from elasticlake.webhooks.mounts import aiohttp

        return await aiohttp.handle(self, request)
