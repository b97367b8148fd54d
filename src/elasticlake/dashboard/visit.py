"""One request for a page: who looks, with which services, and how it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from elasticlake.dashboard import flash, rendering, shown_once
from elasticlake.dashboard.forms import Form, Texts, read_form
from elasticlake.dashboard.services import Services
from elasticlake.dashboard.sessions import COOKIE, LIFE_SECONDS, Session
from elasticlake.dashboard.viewer import Viewer
from elasticlake.model.accounts import Caller, Token
from elasticlake.service import context
from elasticlake.service.pages import PageRequest

PREFIX = "/ui"
THEME_COOKIE = "elasticlake-theme"
THEMES = ("system", "light", "dark")
_OURS = re.compile(r"/ui(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[^\\\s]*)?")


class Visit:
    """What every handler is given."""

    def __init__(self, request: Request, services: Services, viewer: Viewer | None) -> None:
        self.request = request
        self.services = services
        self._viewer = viewer
        self._form: Form | None = None

    @property
    def viewer(self) -> Viewer:
        """Who looks; handlers of pages that need no signing in do not ask."""
        assert self._viewer is not None
        return self._viewer

    @property
    def is_signed_in(self) -> bool:
        return self._viewer is not None

    @property
    def token(self) -> Token:
        """As the management services are asked: what they write down names this request."""
        return replace(self.viewer.token, request_id=self.request.state.request_id)

    @property
    def caller(self) -> Caller:
        return self.viewer.caller

    @property
    def as_request(self) -> context.Request:
        """As S3's services are asked: an event that this causes names the access key and this request."""
        return context.Request(self.viewer.caller, self.request.state.request_id)

    @property
    def is_secure(self) -> bool:
        return bool(self.request.url.scheme == "https")

    @property
    def theme(self) -> str:
        chosen = self.request.cookies.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else THEMES[0]

    def query(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return str(self.request.query_params.get(name, default))

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    def page_request(self, limit: int = 50) -> PageRequest:
        """The page of a list that the query asks for."""
        return PageRequest(self.query("cursor") or None, limit)

    async def form(self) -> Form:
        """What was sent; raises `BadForm`."""
        if self._form is None:
            self._form = await read_form(self.request)
        return self._form

    def page(
        self,
        template: str,
        /,
        status: int = 200,
        *,
        faults: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The template's page. A message that another page left for it is shown once.

        `faults` says by field what is wrong with the form that was sent, and `values` what it held: then it is shown
        again, as 422.
        """
        left = self.request.cookies.get(flash.COOKIE)
        message = flash.read(self.services.sessions, left) if left else None
        forms = {"faults": Texts(faults or {}), "values": Texts(values or {})}
        text = rendering.render(template, self, {"flash": message, **forms, **context})
        response = HTMLResponse(text, 422 if faults and status == 200 else status)
        if left:
            response.delete_cookie(flash.COOKIE, path=PREFIX)
        return response

    def fragment(self, template: str, /, **context: Any) -> Response:
        """A piece of a page, for a script to put in its place."""
        return HTMLResponse(rendering.render(template, self, context))

    def json(self, document: Any, status: int = 200) -> Response:
        return JSONResponse(document, status)

    def redirect(self, path: str, message: str = "", **query: str) -> Response:
        """Go on to a page of ours, which then shows the message. Never to anywhere else."""
        target = path + (f"?{urlencode(query)}" if query else "")
        response = RedirectResponse(ours_or(target, PREFIX + "/"), 303)
        return self.leave(response, message) if message else response

    def leave(self, response: Response, message: str) -> Response:
        """Have the next page show the message."""
        value = flash.write(self.services.sessions, message)
        response.set_cookie(flash.COOKIE, value, 60, path=PREFIX, httponly=True, samesite="lax", secure=self.is_secure)
        return response

    def show_once(self, path: str, secret: str) -> Response:
        """Go on to the page of ours that shows the secret: the browser sends it to that page alone, and soon forgets
        it."""
        response = self.redirect(path)
        response.set_cookie(
            shown_once.COOKIE,
            shown_once.seal(self.services.sessions, secret, self._page_of_session(path)),
            shown_once.LIFE_SECONDS,
            path=path,
            httponly=True,
            samesite="lax",
            secure=self.is_secure,
        )
        return response

    def once(self) -> str | None:
        """The secret that this page was handed to show; None if it has been shown."""
        cookie, page = self.request.cookies.get(shown_once.COOKIE), self._page_of_session(self.request.url.path)
        return shown_once.open(self.services.sessions, cookie, page) if cookie else None

    def _page_of_session(self, path: str) -> str:
        return f"{self.viewer.session.id} {path}"

    def forget_once(self, response: Response) -> Response:
        """Make the browser forget what this page has shown."""
        response.delete_cookie(shown_once.COOKIE, path=self.request.url.path)
        return response

    def keep(self, response: Response, session: Session) -> Response:
        """Hand the browser its session."""
        sealed = self.services.sessions.seal(session)
        response.set_cookie(
            COOKIE, sealed, LIFE_SECONDS, path=PREFIX, httponly=True, samesite="lax", secure=self.is_secure
        )
        return response

    def links(self, **changes: str | None) -> str:
        """This page's URL with other query parameters; None takes one away."""
        query = {**dict(self.request.query_params), **changes}
        return self.request.url.path + "?" + urlencode({name: value for name, value in query.items() if value})


def ours_or(target: str, otherwise: str) -> str:
    """`target` if it is a path of the dashboard's and nothing cleverer (`//host`, `/ui/..`, a scheme), else
    `otherwise`: no link of ours leads a user elsewhere."""
    path = target.partition("?")[0]
    is_plain = _OURS.fullmatch(target) is not None and "//" not in path and "/." not in path
    return target if is_plain and "%2e" not in path.lower() and "%2f" not in path.lower() else otherwise


def query_of(values: Mapping[str, str]) -> str:
    """`?a=b&c=d`, encoded; empty for nothing."""
    return "?" + urlencode(values) if values else ""
