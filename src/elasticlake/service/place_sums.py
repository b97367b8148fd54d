"""Lakes and ponds with the sums over what a token sees of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from elasticlake.metadata import buckets, hierarchy
from elasticlake.metadata.database import Reader
from elasticlake.metadata.hierarchy import Lake, Pond
from elasticlake.model.accounts import Token


class _Sums(NamedTuple):
    buckets: int
    objects: int
    size_bytes: int


def seen_lake(reader: Reader, token: Token, lake: Lake) -> Lake:
    """The lake; where another account owns it, with the sums over the token's own buckets, and where the token's scope
    has a part of it, over that part."""
    if token.scope is not None and not token.scope.covers_lake(lake.slug):
        slugs = {pond.partition("--")[2] for pond in token.scope.ponds if pond.startswith(f"{lake.slug}--")}
        found = [pond for slug in sorted(slugs) if (pond := hierarchy.get_pond(reader, lake.slug, slug)) is not None]
        parts = [*(_sums(seen_pond(reader, token, lake, pond)) for pond in found), _named(reader, token, lake.slug)]
        return replace(lake, **_added(parts)._asdict())
    if token.covers(lake.account_id):
        return lake
    own = hierarchy.sums_of_accounts(reader, token.accounts or (), lake_id=lake.id)
    return replace(lake, **_Sums(*own)._asdict())


def seen_pond(reader: Reader, token: Token, lake: Lake, pond: Pond) -> Pond:
    """The pond of that lake, with the sums as a lake has them."""
    if token.scope is not None and not token.scope.covers_pond(lake.slug, pond.slug):
        return replace(pond, **_named(reader, token, lake.slug, pond.slug)._asdict())
    if token.covers(lake.account_id):
        return pond
    own = hierarchy.sums_of_accounts(reader, token.accounts or (), pond_id=pond.id)
    return replace(pond, **_Sums(*own)._asdict())


def _named(reader: Reader, token: Token, lake: str, pond: str | None = None) -> _Sums:
    """The sums over the buckets that the scope names one by one, without those of ponds that it names as a whole."""
    scope = token.scope
    assert scope is not None
    names = {name.name for name in scope.named_buckets if name.lake == lake and pond in (None, name.pond)}
    found = [bucket for name in sorted(names) if (bucket := buckets.find(reader, name)) is not None]
    return _added(
        _Sums(1, bucket.objects, bucket.size_bytes)
        for bucket in found
        if token.covers(bucket.account_id) and not scope.covers_pond(bucket.name.lake, bucket.name.pond)
    )


def _sums(place: Lake | Pond) -> _Sums:
    return _Sums(place.buckets, place.objects, place.size_bytes)


def _added(parts: Iterable[_Sums]) -> _Sums:
    all_parts = list(parts)
    return _Sums(*(sum(part[place] for part in all_parts) for place in range(3)))
