"""The limit on wrong passwords."""

from __future__ import annotations

from tests.unit.dashboard.test_sessions import Watch

from elasticlake.dashboard.sign_in_limit import FAILURES, REMEMBERED_ADDRESSES, WINDOW_SECONDS, SignInLimit


def exhausted(clock: Watch, address: str) -> SignInLimit:
    limit = SignInLimit(clock)
    for _ in range(FAILURES):
        assert limit.wait_seconds(address) == 0
        limit.failed(address)
    return limit


def test_after_ten_failures_an_address_waits_until_the_window_has_passed() -> None:
    clock = Watch()
    limit = exhausted(clock, "192.0.2.1")
    assert 0 < limit.wait_seconds("192.0.2.1") <= WINDOW_SECONDS + 1
    assert limit.wait_seconds("192.0.2.2") == 0
    clock.ms += int(WINDOW_SECONDS * 1000) + 1
    assert limit.wait_seconds("192.0.2.1") == 0


def test_ipv4_clients_of_an_ipv6_socket_are_themselves() -> None:
    limit = exhausted(Watch(), "::ffff:192.0.2.1")
    assert limit.wait_seconds("192.0.2.1") > 0
    assert limit.wait_seconds("::ffff:192.0.2.2") == 0


def test_an_ipv6_client_is_its_network() -> None:
    limit = exhausted(Watch(), "2001:db8::1")
    assert limit.wait_seconds("2001:db8::ffff") > 0
    assert limit.wait_seconds("2001:db8:0:1::1") == 0


def test_addresses_are_not_remembered_without_end() -> None:
    limit = exhausted(Watch(), "192.0.2.1")
    for number in range(REMEMBERED_ADDRESSES):
        limit.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert limit.wait_seconds("192.0.2.1") == 0
