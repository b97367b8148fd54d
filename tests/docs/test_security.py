"""The page on security claims what holds: limits, addresses that are refused, what is sealed."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import Document, codes, rows

from elasticlake.config.settings import Settings
from elasticlake.dashboard import sessions, sign_in_limit
from elasticlake.delivery.answer import BODY_CAP_BYTES
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import EndpointRefused
from elasticlake.model.ids import new_token
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS
from elasticlake.s3.presigned import MAX_EXPIRES_SECONDS
from elasticlake.s3.sigv4 import MAX_SKEW_MS

PAGE = Document("docs/security.md")
EGRESS = PAGE.section("Where webhooks may call")
ADDRESSES = [address for _, addresses in rows(EGRESS, "what", "an address") for address in codes(addresses)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_shown_is_refused(address: str) -> None:
    with pytest.raises(EndpointRefused):
        EgressPolicy().check_address(address, 443, "https")


def test_an_ordinary_address_is_not() -> None:
    EgressPolicy().check_address("93.184.216.34", 443, "https")
    with pytest.raises(EndpointRefused):
        EgressPolicy().check_address("93.184.216.34", 80, "http")


def test_the_spelling_shown_is_refused() -> None:
    (url,) = re.findall(r"http://\d+/", EGRESS)
    with pytest.raises(EndpointRefused, match="write"):
        EgressPolicy(developer=True).check_endpoint(url)


def test_the_figures_are_the_ones_in_use() -> None:
    signed = PAGE.section("What is signed")
    assert f"at most {MAX_SKEW_MS // 60_000} minutes apart" in signed
    assert f"for {MAX_EXPIRES_SECONDS // 86_400} days at most" in signed
    dashboard = PAGE.section("The dashboard")
    assert (
        f"after {sessions.LIFE_SECONDS // 3600} hours without use or after {sessions.ABSOLUTE_SECONDS // 86_400} days"
        in dashboard
    )
    assert (sign_in_limit.FAILURES, sign_in_limit.WINDOW_SECONDS) == (10, 300)
    assert "Ten wrong passwords from an address within\nfive minutes" in dashboard
    assert f"{DEFAULT_TIMEOUT_SECONDS:g} s over everything, at most {BODY_CAP_BYTES // 1024} KiB" in EGRESS
    assert len(new_token().removeprefix("elt_")) * 5 == 160
    assert f"kept for {Settings().activity_retention_days} days" in PAGE.section("Access keys, tokens, scopes")


def test_every_line_of_what_is_signed_names_its_module() -> None:
    for what, _, module in rows(PAGE.section("What is signed"), "what", "how", "module"):
        assert codes(module), what
