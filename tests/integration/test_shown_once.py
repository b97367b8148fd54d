"""How a new secret reaches the page that shows it: what a browser is told, and what is left behind."""

from __future__ import annotations

import http.client
import re
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode

import pytest
from tests.integration.conftest import Spawn
from tests.integration.server import DASHBOARD_PASSWORD, SECRET_KEY, Server


class Browser:
    """As much of one as a form needs: it keeps its session."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.session = ""
        self.csrf = ""
        _, cookies, _ = self.post("/ui/sign-in", password=DASHBOARD_PASSWORD)
        self.session = cookies["elasticlake-session"].value
        _, _, body = self.get("/ui/")
        found = re.search(r'name="csrf-token" content="(\w+)"', body)
        assert found is not None
        self.csrf = found[1]

    def get(self, path: str, cookie: str = "") -> tuple[int, SimpleCookie, str]:
        return self._ask("GET", path, None, cookie)

    def post(self, path: str, **fields: str) -> tuple[int, SimpleCookie, str]:
        return self._ask("POST", path, urlencode({**fields, "csrf": self.csrf}), "")

    def _ask(self, method: str, path: str, body: str | None, cookie: str) -> tuple[int, SimpleCookie, str]:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=30)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"elasticlake-session={self.session}; {cookie}",
        }
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        cookies = SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie") or ():
            cookies.load(line)
        text = answer.read().decode()
        connection.close()
        return answer.status, cookies, text


@pytest.fixture(scope="module")
def browser(server: Server) -> Browser:
    return Browser(server)


def once(cookies: SimpleCookie) -> Morsel[str]:
    return cookies["elasticlake-once"]


@pytest.mark.parametrize(
    ("path", "fields", "page"),
    [
        ("/ui/keys", {"account": "root", "scope.permissions": "read"}, "/ui/keys/made"),
        ("/ui/tokens", {"name": "once", "access": "read"}, "/ui/tokens/made"),
    ],
)
def test_only_that_page_is_sent_the_cookie_and_only_once(
    server: Server, browser: Browser, path: str, fields: dict[str, str], page: str
) -> None:
    status, cookies, _ = browser.post(path, **fields)
    made = once(cookies)
    assert status == 303
    assert (made["path"], made["httponly"], made["samesite"], made["max-age"]) == (page, True, "lax", "120")
    status, cookies, body = browser.get(page, f"elasticlake-once={made.value}")
    assert status == 200
    assert once(cookies)["max-age"] == "0"
    assert once(cookies)["path"] == page
    shown = re.findall(r"<code>([^<]{20,})</code>", body)
    assert shown
    assert all(secret not in made.value for secret in shown)
    assert all(line not in server.log for secret in shown for line in secret.splitlines())


def test_a_cookie_that_we_did_not_seal_shows_nothing(browser: Browser) -> None:
    status, _, body = browser.get("/ui/keys/made", f"elasticlake-once={'A' * 80}")
    assert status == 200
    assert "The secret was shown" in body


def test_a_secret_of_ones_own_is_not_shown_in_the_form_again(browser: Browser) -> None:
    fields = {"account": "root", "scope.permissions": "read", "scope.lakes": "No Lake"}
    status, _, body = browser.post("/ui/keys", **fields, secretAccessKey="my own secret key")
    assert status == 422
    assert "No Lake" in body
    assert "my own secret key" not in body


def test_no_page_ever_holds_the_servers_own_secret(browser: Browser) -> None:
    for path in ("/ui/keys", "/ui/keys?account=root", "/ui/start", "/ui/system", "/ui/activity"):
        assert SECRET_KEY not in browser.get(path)[2]


@pytest.mark.embedded
def test_of_several_gateways_none_offers_a_catcher(spawn: Spawn) -> None:
    server = spawn("--workers", "2", metadata=None).start()
    browser = Browser(server)
    server.request("POST", "/v1/buckets", {"bucket": "lake1--pond1--my-bucket"})
    assert "elasticlake listen --bucket lake1--pond1--my-bucket" in browser.get("/ui/start")[2]
    assert browser.post("/ui/start/webhook", bucket="lake1--pond1--my-bucket")[0] == 404
