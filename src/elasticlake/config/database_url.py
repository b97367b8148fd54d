"""PostgreSQL's URL, judged before anything is dialled or shown.

A password that is not percent-encoded makes libpq take a part of it for a host, a port or a database, and say so in
its messages. Such a URL is refused here, in words that hold nothing of it.
"""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

_SCHEMES = ("postgresql://", "postgres://")
_UNREADABLE = "this is no PostgreSQL URL; percent-encode %, @, /, ?, # and [ in its password."


def require_database_url(url: str) -> None:
    """Raises `ValueError` for what libpq cannot read, or would read differently from what was meant."""
    if not url.startswith(_SCHEMES):
        raise ValueError("write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out for SQLite in DATA.")
    if not _is_plain(url) or not _is_libpqs(url):
        raise ValueError(_UNREADABLE)


def _is_plain(url: str) -> bool:
    """Whether user and password end where everybody thinks that they do, so that what is shown has no part of them."""
    try:
        split = urlsplit(url)
        url.encode()
    except ValueError:
        return False
    return url.count("@") == split.netloc.count("@") <= 1 and not split.fragment


def _is_libpqs(url: str) -> bool:
    """Whether libpq reads it as we do; true where libpq is not installed."""
    if find_spec("psycopg") is None:
        return True
    # An extra: the embedded default does without it.
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        read = conninfo_to_dict(url)
    except psycopg.Error:
        return False
    password, ports = urlsplit(url).password, str(read.get("port", ""))
    is_same = not password or read.get("password") == unquote(password)
    return is_same and all(port.isdigit() for port in ports.split(",") if port)
