"""Why there is no connection, in one line without the password."""

from __future__ import annotations

import re

import pytest
from tests.ports import steady_port

from elasticlake.errors import Unavailable
from elasticlake.metadata.postgres.blocking import connect, without_secrets


@pytest.mark.parametrize("password", ["se@cret", "se/cret", "se@cr@et", "cret"])
def test_a_password_that_libpq_takes_for_a_host_is_not_shown(password: str) -> None:
    with pytest.raises(Unavailable) as refused:
        connect(f"postgresql://user:{password}@127.0.0.1:{steady_port()}/name")
    said = str(refused.value)
    assert re.search(r"\b(se|cr|et|cret)\b", said) is None, said
    assert said.startswith("the metadata database cannot be reached: ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "conninfo", "shown"),
    [
        ('no host "cret@db"', "postgresql://user:se@cret@db/name", 'no host "…@db"'),
        ('no port "se"', "postgresql://user:se/cret@db/name", 'no port "…"'),
        ("the key s3cr@t", "postgresql://user:s3cr%40t@db/name", "the key …"),
        ('no user "user" at db', "postgresql://user:pass@db/name", 'no user "user" at db'),
        ("the password is past", "postgresql://user:pass@db/name", "the password is past"),
        ("no host db", "postgresql://db/name", "no host db"),
    ],
)
def test_libpqs_words_keep_all_but_the_password(text: str, conninfo: str, shown: str) -> None:
    assert without_secrets(text, conninfo) == shown
