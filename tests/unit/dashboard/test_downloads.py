"""What a file is called on the viewer's disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.downloads import file_name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/b/report.pdf", "report.pdf"),
        ("ä ö.txt", "ä ö.txt"),
        ("folder/", "folder"),
        ("..", "object"),
        ("a/..", "object"),
        ("/", "object"),
        ("back\\slash", "back_slash"),
        ("nul\x00", "nul_"),
        ("photo\u202egnp.exe", "photo_gnp.exe"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_the_last_name_of_the_key(key: str, name: str) -> None:
    assert file_name(key.encode()) == name


@given(st.text(min_size=1))
def test_no_key_names_another_folder(text: str) -> None:
    name = file_name(text.encode("utf-8", "replace"))
    assert name
    assert name.strip(". ")
    assert not set(name) & set("/\\\x00\r\n")
