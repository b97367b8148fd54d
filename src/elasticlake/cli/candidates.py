"""What a shell offers for an argument: names that the server knows, and words that an option takes.

Asked at each press of a key, so it takes a second at most, and whatever goes wrong offers nothing.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import typer

from elasticlake.cli.client import LARGEST_PAGE, Document, path
from elasticlake.cli.connection import DEFAULT_URL, Connection, connection
from elasticlake.cli.output import printable

PATIENCE_SECONDS = 1.0
MOST_PAGES = 10
# All that our names are made of. Bash puts what it is offered on the line as it is: a server that lies could have the
# next Enter run it.
_is_harmless = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch

Candidates = list[tuple[str, str]]
"""Words, each with what it means ("" for nothing)."""
Offer = Callable[[typer.Context, str], Candidates]


def words(*known: str) -> Offer:
    """Offers the words that an option takes."""

    def offer(ctx: typer.Context, incomplete: str) -> Candidates:
        return [(word, "") for word in known if word.startswith(incomplete)]

    return offer


def listed_words(*known: str) -> Offer:
    """Offers the words of an option that takes several, with commas between them."""

    def offer(ctx: typer.Context, incomplete: str) -> Candidates:
        before, comma, last = incomplete.rpartition(",")
        return [(f"{before}{comma}{word}", "") for word in known if word.startswith(last)]

    return offer


def buckets(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "bucket", "acl", "buckets")


def lakes(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "lake", "name", "lakes")


def ponds(ctx: typer.Context, incomplete: str) -> Candidates:
    """The ponds of the lake that is written already; before that the lakes, to go on from."""
    lake, dashes, _ = incomplete.partition("--")
    if not dashes:
        return [(f"{found}--", name) for found, name in lakes(ctx, incomplete)]
    slug = incomplete.removeprefix(f"{lake}--")
    return [(f"{lake}--{found}", name) for found, name in _named(ctx, slug, "pond", "name", "lakes", lake, "ponds")]


def accounts(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "id", "displayName", "accounts")


def keys(ctx: typer.Context, incomplete: str) -> Candidates:
    """The access keys of the account that is written already."""
    return _named(ctx, incomplete, "accessKeyId", "createdAt", "accounts", str(ctx.params.get("account")), "keys")


def tokens(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "id", "name", "tokens")


def webhooks(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "id", "endpoint", "webhooks")


def jobs(ctx: typer.Context, incomplete: str) -> Candidates:
    return _named(ctx, incomplete, "id", "status", "jobs")


def _named(ctx: typer.Context, incomplete: str, name: str, meaning: str, *collection: str) -> Candidates:
    """The items of a list by their field `name`, with what `meaning` says of them; what came within the patience."""
    found: Candidates = []

    def ask() -> None:
        # Whatever it is, the person who presses a key is not to see it.
        with suppress(Exception):
            options = ctx.find_root().params
            server = connection(options.get("url") or DEFAULT_URL, options.get("token") or "")
            for item in _items(server, path(*collection)):
                word = str(item[name])
                if word.startswith(incomplete) and _is_harmless(word):
                    found.append((word, printable(str(item.get(meaning) or ""))))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_SECONDS)
    return list(found)


def _items(server: Connection, where: str) -> Iterator[Document]:
    """The items of a list, page after page. Without the HTTP library of the commands, which takes long to import."""
    proxies = urllib.request.ProxyHandler({} if server.is_local else None)
    opener, cursor = urllib.request.build_opener(proxies), ""
    for _ in range(MOST_PAGES):
        url = f"{server.url}{where}?limit={LARGEST_PAGE}" + (f"&cursor={cursor}" if cursor else "")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {server.token()}"})
        with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
            page: dict[str, Any] = json.load(answer)
        yield from page["items"]
        cursor = quote(page.get("nextCursor") or "", safe="")
        if not cursor:
            return
