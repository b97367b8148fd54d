"""What protects the dashboard's sessions: forged forms, frames, redirects, fixed and stolen sessions, guessing."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.integration.conftest import Spawn
from tests.integration.server import API_TOKEN, DASHBOARD_PASSWORD, Server
from tests.integration.visitor import SESSION, Visitor, visiting

FORM = {"content-type": "application/x-www-form-urlencoded"}
PUBLIC_PAGES = ("/ui/sign-in",)
PAGES = ("/ui/", "/ui/lakes/default", "/ui/nowhere", "/ui/lakes/nowhere")


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server) as signed_in:
        yield signed_in


@pytest.fixture
def stranger(server: Server) -> Iterator[Visitor]:
    with visiting(server, signed_in=False) as unknown:
        yield unknown


def api(server: Server, method: str, path: str, document: Any = None) -> Any:
    request = urllib.request.Request(
        server.url + path,
        json.dumps(document).encode() if document is not None else None,
        {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_a_session_and_is_found_again_after_signing_in(stranger: Visitor, page: str) -> None:
    sent_away = stranger.get(page)
    assert sent_away.status_code == 303
    assert sent_away.headers["location"].startswith("/ui/sign-in")
    following = httpx.URL(sent_away.headers["location"]).params.get("next", "")
    assert stranger.sign_in(following=following).headers["location"] == page


@pytest.mark.parametrize("page", [*PUBLIC_PAGES, *PAGES])
def test_no_page_can_be_framed_sniffed_kept_or_given_scripts(visitor: Visitor, stranger: Visitor, page: str) -> None:
    headers = (stranger if page in PUBLIC_PAGES else visitor).get(page).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    # Not even our own host may give scripts, but for the one folder: an object in a bucket is on this host too.
    assert f"script-src {visitor.client.base_url.netloc.decode()}/ui/static/;" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


def test_the_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(stranger: Visitor) -> None:
    cookie = stranger.sign_in().headers["set-cookie"].lower()
    assert cookie.startswith(SESSION)
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/ui" in cookie
    assert "; secure" not in cookie


def test_behind_tls_the_cookie_never_travels_in_the_clear(spawn: Spawn) -> None:
    server = spawn("--trusted-proxy", "127.0.0.0/8").start()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    form = {"password": DASHBOARD_PASSWORD}
    answer = httpx.post(f"{server.url}/ui/sign-in", data=form, headers=forwarded, trust_env=False)
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "forged",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_from_another_site_is_refused_even_with_the_right_token(
    visitor: Visitor, forged: dict[str, str]
) -> None:
    assert visitor.post("/ui/lakes", {"lake": "forged"}, **forged).status_code == 403
    assert visitor.get("/ui/lakes/forged").status_code == 404


def test_a_form_from_another_site_cannot_sign_anybody_in(stranger: Visitor) -> None:
    form = {"password": DASHBOARD_PASSWORD}
    answer = stranger.client.post("/ui/sign-in", data=form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_needs_the_token_of_its_own_session(visitor: Visitor, server: Server) -> None:
    with visiting(server) as other:
        tokens = ["", "0" * 64, other.csrf_token, "ÿ"]
    for token in tokens:
        form = {"csrf": token, "lake": "forged"}
        assert visitor.client.post("/ui/lakes", data=form).status_code == 403, token
        by_script = visitor.client.post("/ui/lakes", data={"lake": "forged"}, headers={"X-CSRF-Token": token.encode()})
        assert by_script.status_code == 403, token
    assert visitor.get("/ui/lakes/forged").status_code == 404


def test_a_form_of_ours_is_taken(visitor: Visitor) -> None:
    origin = f"http://{visitor.client.base_url.netloc.decode()}"
    made = visitor.post("/ui/lakes", {"lake": "honest"}, **{"origin": origin, "sec-fetch-site": "same-origin"})
    assert made.status_code == 303
    assert made.headers["location"] == "/ui/lakes/honest"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "/ui/../bucket/page.html", "/ui//evil.example",
        "javascript:alert(1)", "/ui/%2e%2e/bucket/page.html", "/bucket/page.html", "/ui/\r\nSet-Cookie: a=b",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(stranger: Visitor, target: str) -> None:
    assert stranger.sign_in(following=target).headers["location"] == "/ui/"
    assert stranger.client.get("/ui/sign-in", params={"next": target}).headers["location"] == "/ui/"


def test_a_session_that_was_planted_is_not_taken_over(server: Server) -> None:
    with visiting(server) as attacker, visiting(server, signed_in=False) as victim:
        planted = attacker.client.cookies[SESSION]
        victim.client.cookies.set(SESSION, planted, path="/ui")
        victim.client.cookies.set(SESSION, planted, path="/ui")
        given = victim.sign_in()
        assert f"{SESSION}={planted}" not in given.headers["set-cookie"]
        assert given.cookies[SESSION] != planted


def test_signing_out_takes_the_cookie_away(visitor: Visitor) -> None:
    left = visitor.post("/ui/sign-out")
    assert left.headers["location"] == "/ui/sign-in"
    assert SESSION not in visitor.client.cookies
    assert visitor.get("/ui/").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "A" * 5000, "%00", '{"subject":"password"}'])
def test_a_cookie_that_we_did_not_make_is_nobody(stranger: Visitor, cookie: str) -> None:
    assert stranger.get("/ui/", cookie=f"{SESSION}={cookie}").status_code == 303


def test_an_access_key_signs_in_and_its_session_ends_with_it(server: Server, stranger: Visitor) -> None:
    account = api(server, "POST", "/v1/accounts", {"displayName": "Visitor", "email": "visitor@example.com"})["id"]
    key = api(server, "POST", f"/v1/accounts/{account}/keys", {})
    assert stranger.sign_in(key["secretAccessKey"] + "x", key["accessKeyId"]).status_code == 403
    assert stranger.sign_in(key["secretAccessKey"], key["accessKeyId"]).status_code == 303
    assert stranger.get("/ui/").status_code == 200
    api(server, "DELETE", f"/v1/accounts/{account}/keys/{key['accessKeyId']}")
    assert stranger.get("/ui/").headers["location"].startswith("/ui/sign-in")


def test_a_changed_password_ends_every_session_of_the_old_one(spawn: Spawn) -> None:
    server = spawn().start()
    with visiting(server) as visitor:
        server.stop()
        server.env["ELASTICLAKE_DASHBOARD_PASSWORD"] = "another password"
        server.start()
        assert visitor.get("/ui/").status_code == 303
        server.stop()
        server.env["ELASTICLAKE_DASHBOARD_PASSWORD"] = DASHBOARD_PASSWORD
        server.start()
        assert visitor.get("/ui/").status_code == 200, "a restart alone ends no session"


def test_guessing_is_limited(spawn: Spawn) -> None:
    server = spawn().start()
    with visiting(server, signed_in=False) as guesser:
        answers = [guesser.sign_in(f"guess {number}") for number in range(11)]
        assert [answer.status_code for answer in answers] == [403] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert guesser.sign_in().status_code == 429, "not even the right one"


@pytest.mark.parametrize("host", ["", "a b", "evil.example/ui/static/", "x;script-src *", "'unsafe-inline'"])
def test_a_host_that_is_none_gets_no_page(visitor: Visitor, host: str) -> None:
    answer = visitor.get("/ui/", host=host)
    assert answer.status_code == 400
    assert "content-security-policy" not in answer.headers or host not in answer.headers["content-security-policy"]


def test_a_form_has_its_bounds(visitor: Visitor) -> None:
    token = visitor.csrf_token
    large = visitor.client.post("/ui/lakes", data={"csrf": token, "lake": "x" * (1 << 20)})
    assert large.status_code == 413
    many = visitor.client.post("/ui/lakes", content=f"csrf={token}&" + "a=1&" * 5000, headers=FORM)
    assert many.status_code == 400
    no_form = visitor.client.post("/ui/lakes", json={"csrf": token}, headers={})
    assert no_form.status_code == 400
    no_text = visitor.client.post("/ui/lakes", content=f"csrf={token}&lake=%ff%fe", headers=FORM)
    assert no_text.status_code == 400


def test_what_a_user_typed_is_shown_again_and_is_no_markup(visitor: Visitor) -> None:
    wrong = visitor.post("/ui/lakes", {"lake": '"><script>alert(1)</script>', "name": "<b>bold</b>"})
    assert wrong.status_code == 422
    assert "<script>alert" not in wrong.text
    assert "<b>bold" not in wrong.text
    assert "&lt;b&gt;bold" in wrong.text


def test_a_catcher_that_has_forgotten_says_so(visitor: Visitor) -> None:
    answer = visitor.get("/ui/start/caught?webhook=wh_gone")
    assert answer.status_code == 200
    assert "The catcher has forgotten this webhook" in answer.text


def test_no_access_key_can_guess_the_password_by_its_id(server: Server, stranger: Visitor) -> None:
    """Such a key's session was once taken for the password's."""
    account = api(server, "POST", "/v1/accounts", {"displayName": "Guesser", "email": "guesser@example.com"})["id"]
    key = {"accessKeyId": "password", "secretAccessKey": DASHBOARD_PASSWORD, "scope": {"permissions": ["list"]}}
    api(server, "POST", f"/v1/accounts/{account}/keys", key)
    assert stranger.sign_in(DASHBOARD_PASSWORD, "password").status_code == 303
    assert stranger.get("/ui/system").status_code == 403
