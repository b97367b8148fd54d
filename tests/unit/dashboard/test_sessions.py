"""Sessions: what is signed comes back, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.sessions import ABSOLUTE_SECONDS, LIFE_SECONDS, PASSWORD, Sessions
from elasticlake.errors import InvalidInput
from elasticlake.model.accounts import require_access_key_id

KEY = bytes(range(32))


class Watch:
    """A clock that stands."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def sessions(clock: Watch) -> Sessions:
    return Sessions(KEY, clock)


def test_a_session_comes_back_from_its_cookie(sessions: Sessions) -> None:
    session = sessions.open("AKEY", "its secret")
    assert sessions.unseal(sessions.seal(session)) == session


def test_every_session_has_an_id_of_its_own(sessions: Sessions) -> None:
    assert len({sessions.open(PASSWORD, "pw").id for _ in range(50)}) == 50


def test_a_session_ends_with_its_time(sessions: Sessions, clock: Watch) -> None:
    cookie = sessions.seal(sessions.open(PASSWORD, "pw"))
    clock.ms += LIFE_SECONDS * 1000 - 1
    assert sessions.unseal(cookie) is not None
    clock.ms += 1
    assert sessions.unseal(cookie) is None


def test_a_session_in_use_is_renewed_when_half_its_life_is_over(sessions: Sessions, clock: Watch) -> None:
    session = sessions.open(PASSWORD, "pw")
    assert sessions.renewed(session) is None
    clock.ms += LIFE_SECONDS * 500
    renewed = sessions.renewed(session)
    assert renewed is not None
    assert renewed.expires_at_ms == clock.ms + LIFE_SECONDS * 1000
    assert sessions.csrf_token(renewed) == sessions.csrf_token(session)


def test_a_session_that_is_always_in_use_ends_too(sessions: Sessions, clock: Watch) -> None:
    session, began_ms = sessions.open(PASSWORD, "pw"), clock.ms
    while (renewed := sessions.renewed(session)) is not None or session.expires_at_ms > clock.ms:
        session = renewed or session
        clock.ms += 3_600_000
    assert clock.ms <= began_ms + ABSOLUTE_SECONDS * 1000 + 3_600_000


def test_no_access_key_can_be_taken_for_the_password() -> None:
    with pytest.raises(InvalidInput):
        require_access_key_id(PASSWORD)


def test_a_session_holds_only_with_what_it_was_opened_with(sessions: Sessions) -> None:
    session = sessions.open("AKEY", "its secret")
    assert sessions.holds(session, "its secret")
    assert not sessions.holds(session, "another secret")
    assert not sessions.holds(replace(session, subject="OTHER"), "its secret")


def test_no_cookie_reveals_the_secret(sessions: Sessions) -> None:
    assert "its secret" not in sessions.seal(sessions.open("AKEY", "its secret"))


@given(st.text())
def test_text_that_we_did_not_sign_is_nothing(text: str) -> None:
    assert Sessions(KEY, Watch()).unseal(text) is None


@given(st.data())
def test_a_changed_cookie_is_nothing(data: st.DataObject) -> None:
    sessions = Sessions(KEY, Watch())
    cookie = sessions.seal(sessions.open(PASSWORD, "pw"))
    # The last character may carry bits that say nothing.
    place = data.draw(st.integers(0, len(cookie) - 2))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda one: one != cookie[place]))
    assert sessions.unseal(cookie[:place] + other + cookie[place + 1 :]) is None


def test_a_signature_holds_for_its_purpose_and_its_key_alone(sessions: Sessions, clock: Watch) -> None:
    signed = sessions.sign("message", "text")
    assert sessions.verify("message", signed) == "text"
    assert sessions.verify("session", signed) is None
    assert Sessions(bytes(32), clock).verify("message", signed) is None
