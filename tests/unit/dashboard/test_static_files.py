"""Files for browsers: named by their bytes, small, and nothing else is served."""

from __future__ import annotations

import pytest

from elasticlake.dashboard import static_files

MAX_PAGE_BYTES = 100 * 1024


def test_a_file_is_kept_for_ever_under_its_edition_alone() -> None:
    now = static_files.serve(static_files.edition(), "elasticlake.css")
    before = static_files.serve("0123456789ab", "elasticlake.css")
    assert now is not None
    assert before is not None
    assert "immutable" in now.headers["cache-control"]
    assert before.headers["cache-control"] == "no-cache"
    assert now.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("name", ["../routes.py", "..%2froutes.py", "", "elasticlake.CSS", "/etc/passwd", "base.html"])
def test_nothing_else_is_served(name: str) -> None:
    assert static_files.serve(static_files.edition(), name) is None


def test_all_files_together_are_less_than_a_page_may_be() -> None:
    assert sum(map(len, static_files.files().values())) < MAX_PAGE_BYTES
