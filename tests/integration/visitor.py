"""A browser's part of HTTP, for tests of the dashboard that need no browser: cookies, forms, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape

import httpx
from tests.integration.server import DASHBOARD_PASSWORD, Server

SESSION = "elasticlake-session"
_CSRF = re.compile(r'<meta name="csrf-token" content="([0-9a-f]+)">')


class Visitor:
    """Goes through the dashboard with a cookie jar, and follows nothing."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def sign_in(self, password: str = DASHBOARD_PASSWORD, user: str = "", following: str = "") -> httpx.Response:
        return self.client.post("/ui/sign-in", data={"password": password, "user": user, "next": following})

    @property
    def csrf_token(self) -> str:
        """The token that the session's pages carry."""
        found = _CSRF.search(self.get("/ui/").text)
        assert found is not None, "no page of this session"
        return unescape(found[1])

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form of our own pages."""
        return self.client.post(path, data={"csrf": self.csrf_token, **(fields or {})}, headers=headers)


@contextmanager
def visiting(server: Server, *, signed_in: bool = True, verify: bool = True) -> Iterator[Visitor]:
    """A visitor of the server, signed in with the password."""
    with httpx.Client(
        base_url=server.url, follow_redirects=False, trust_env=False, verify=verify, timeout=30
    ) as client:
        visitor = Visitor(client)
        if signed_in:
            assert visitor.sign_in().status_code == 303
        yield visitor
