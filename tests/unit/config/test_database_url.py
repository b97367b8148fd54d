"""PostgreSQL's URL: what is taken, and what is refused without being shown."""

from __future__ import annotations

import pytest

from elasticlake.config import database_url
from elasticlake.config.database_url import require_database_url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host/name",
        "postgres://user:pass@host:5432/name?sslmode=require",
        "postgresql://user:p%40s%2Fs%5B%25@host/name",
        "postgresql://user:@host/name",
        "postgresql://user:a:b+c@[::1]:5432/name",
        "postgresql://user:pass@one:1,two:2/name?target_session_attrs=read-write",
        "postgresql:///name?host=/run/postgresql&user=user",
    ],
)
def test_what_libpq_takes_is_taken(url: str) -> None:
    require_database_url(url)


@pytest.mark.parametrize("character", ["@", "/", "[", "]", "%", "?", "#", "\udcff"])
def test_a_password_that_is_not_encoded_is_refused_and_not_shown(character: str) -> None:
    with pytest.raises(ValueError, match="percent-encode") as refused:
        require_database_url(f"postgresql://user:12{character}secret@host/name")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://host:port/name", "postgresql://host/name?nonsense=1"])
def test_what_libpq_does_not_take_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no PostgreSQL URL"):
        require_database_url(url)


@pytest.mark.parametrize("url", ["sqlite:///file", "host=db dbname=name", ""])
def test_another_form_is_told_the_right_one(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://USER:PASSWORD@HOST/DATABASE"):
        require_database_url(url)


def test_without_libpq_what_could_be_shown_is_refused_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_url, "find_spec", lambda _: None)
    require_database_url("postgresql://host/name?nonsense=1")
    with pytest.raises(ValueError, match="percent-encode"):
        require_database_url("postgresql://user:pass@word@host/name")
