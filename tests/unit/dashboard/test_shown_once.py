"""A secret on its way to the page that shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.dashboard.test_sessions import KEY, Watch

from elasticlake.dashboard import shown_once
from elasticlake.dashboard.sessions import Sessions

SESSIONS = Sessions(KEY, Watch())


@given(st.text())
def test_a_secret_comes_back(secret: str) -> None:
    assert shown_once.open(SESSIONS, shown_once.seal(SESSIONS, secret)) == secret


def test_the_cookie_neither_holds_nor_repeats_it() -> None:
    cookies = {shown_once.seal(SESSIONS, "the secret itself") for _ in range(20)}
    assert len(cookies) == 20
    assert all("secret" not in cookie and cookie.isascii() for cookie in cookies)


def test_it_opens_with_no_other_key() -> None:
    sealed = shown_once.seal(SESSIONS, "the secret itself")
    assert shown_once.open(Sessions(bytes(32), Watch()), sealed) is None


@given(st.text())
def test_what_we_did_not_seal_is_nothing(text: str) -> None:
    assert shown_once.open(SESSIONS, text) is None


def test_a_cookie_of_another_purpose_is_nothing() -> None:
    assert shown_once.open(SESSIONS, SESSIONS.sign("message", "the secret itself")) is None
