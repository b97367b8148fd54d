"""Links of ours lead nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.visit import ours_or

START = "/ui/"


@pytest.mark.parametrize(
    "target", ["/ui", "/ui/", "/ui/buckets/a--b--c?prefix=x%2F&sort=size", "/ui/deliveries/dlv_x", "/ui/?next=//other"]
)
def test_pages_of_ours_are(target: str) -> None:
    assert ours_or(target, "no") == target


@pytest.mark.parametrize(
    "target",
    [
        "", "/", "/v1/docs", "/uix", "//host/ui/", "https://host/ui/", "/ui//host", "/ui/../bucket/page.html",
        "/ui/./..",         "/ui/%2e%2e/bucket", "/ui/%2E%2E%2Fbucket", "/ui\\..\\x", "/ui/?a\\b", "/ui/\n/x", "/ui/ x",
        "javascript:alert(1)",         "\t/ui/", "/ui/?a=\r\nSet-Cookie: x",
    ],
)  # fmt: skip
def test_anything_else_is_not(target: str) -> None:
    assert ours_or(target, START) == START


@given(st.text())
def test_whatever_is_asked_for_stays_here(text: str) -> None:
    target = ours_or(text, START)
    assert target.startswith("/ui")
    assert not target.startswith(("/ui//", "//"))
