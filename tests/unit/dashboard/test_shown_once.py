"""A secret on its way to the page that shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.dashboard.test_sessions import KEY, Watch

from elasticlake.dashboard import shown_once
from elasticlake.dashboard.sessions import Sessions

CLOCK = Watch()
SESSIONS = Sessions(KEY, CLOCK)
PAGE = "session /ui/keys/made"


@given(st.text())
def test_a_secret_comes_back(secret: str) -> None:
    assert shown_once.open(SESSIONS, shown_once.seal(SESSIONS, secret, PAGE), PAGE) == secret


def test_the_cookie_neither_holds_nor_repeats_it() -> None:
    cookies = {shown_once.seal(SESSIONS, "the secret itself", PAGE) for _ in range(20)}
    assert len(cookies) == 20
    assert all("secret" not in cookie and cookie.isascii() for cookie in cookies)


def test_it_opens_with_no_other_key() -> None:
    sealed = shown_once.seal(SESSIONS, "the secret itself", PAGE)
    assert shown_once.open(Sessions(bytes(32), Watch()), sealed, PAGE) is None


@given(st.text())
def test_what_we_did_not_seal_is_nothing(text: str) -> None:
    assert shown_once.open(SESSIONS, text, PAGE) is None


def test_a_cookie_of_another_purpose_is_nothing() -> None:
    assert shown_once.open(SESSIONS, SESSIONS.sign("message", "the secret itself"), PAGE) is None


def test_it_opens_on_its_page_alone_and_for_its_session() -> None:
    sealed = shown_once.seal(SESSIONS, "the secret itself", PAGE)
    for other in ("session /ui/tokens/made", "another /ui/keys/made", ""):
        assert shown_once.open(SESSIONS, sealed, other) is None


def test_it_opens_for_its_time_alone() -> None:
    clock = Watch()
    sessions = Sessions(KEY, clock)
    sealed = shown_once.seal(sessions, "the secret itself", PAGE)
    clock.ms += shown_once.LIFE_SECONDS * 1000
    assert shown_once.open(sessions, sealed, PAGE) is None
