"""A browser without a screen: signs in to the dashboard, and sends its forms as a browser does."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

import httpx
from tests.integration.server import DASHBOARD_PASSWORD, Server

_CSRF = re.compile(r'<meta name="csrf-token" content="([0-9a-f]+)">')


class Visitor:
    """A signed-in visitor of the server's dashboard."""

    def __init__(self, server: Server, password: str = DASHBOARD_PASSWORD, user: str = "") -> None:
        self._http = httpx.Client(base_url=server.url, trust_env=False, timeout=40)
        signed_in = self._http.post("/ui/sign-in", data={"user": user, "password": password})
        assert signed_in.status_code == 303, signed_in.text
        found = _CSRF.search(self.get("/ui/").text)
        assert found is not None
        self._csrf = found[1]

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def post(self, path: str, fields: dict[str, Any], *, csrf: bool = True) -> httpx.Response:
        """The answer to a form; it is not followed anywhere."""
        return self._http.post(path, data={**fields, **({"csrf": self._csrf} if csrf else {})})
