"""Scopes in words, and as forms ask for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard import scopes
from elasticlake.dashboard.forms import Form
from elasticlake.model.accounts import PERMISSIONS, Scope


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(), "May do everything."),
        (Scope(permissions=("read",)), "May read."),
        (Scope(buckets=("a--b--c",)), "May do everything in bucket a--b--c."),
        (
            Scope(lakes=("a",), ponds=("b--c", "b--d"), permissions=("read", "list")),
            "May read and list in lake a, pond b--c and pond b--d.",
        ),
        (
            Scope(prefixes=("in/", "out/"), permissions=("read", "write", "list")),
            "May read, write and list, where keys begin with <bdi>in/</bdi> or <bdi>out/</bdi>.",
        ),
    ],
)
def test_words(scope: Scope, words: str) -> None:
    assert scopes.words(scope) == words


@given(st.lists(st.text(min_size=1), max_size=3))
def test_no_prefix_becomes_markup(prefixes: list[str]) -> None:
    shown = scopes.words(Scope(prefixes=tuple(prefixes)))
    for ours in ("<bdi>", "</bdi>", '<span class="odd"', "</span>"):
        shown = shown.replace(ours, "")
    assert "<" not in shown


def test_every_permission_is_explained() -> None:
    assert set(scopes.MEANINGS) == set(PERMISSIONS)


def test_a_form_asks_for_what_its_lines_and_boxes_say() -> None:
    form = Form(
        [
            ("scope.permissions", "read"),
            ("scope.permissions", "list"),
            ("scope.lakes", " a \r\n\r\nb"),
            ("scope.ponds", ""),
            ("scope.buckets", "x--y--z"),
            ("scope.prefixes", " with blank \r\n\r\nin/"),
        ]
    )
    assert scopes.from_form(form) == {
        "lakes": ["a", "b"],
        "ponds": [],
        "buckets": ["x--y--z"],
        "prefixes": [" with blank ", "in/"],
        "permissions": ["read", "list"],
    }
