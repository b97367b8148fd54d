"""Operations on lakes and ponds, and where a token finds its buckets.

Lake `default` with its pond `default` always exists, as root's: plain bucket names live there, and any account may
create in it. Whoever does not own it sees it with the sums over their own buckets alone.
"""

from __future__ import annotations

from elasticlake.errors import AccessDenied, AlreadyExists, Conflict, NoSuchBucket, NoSuchLake, NoSuchPond, NotEmpty
from elasticlake.metadata import buckets, hierarchy
from elasticlake.metadata.database import Reader, Transaction
from elasticlake.metadata.hierarchy import Lake, Pond
from elasticlake.model.accounts import ROOT_ACCOUNT, Permission, Token
from elasticlake.model.activity import Done
from elasticlake.model.names import DEFAULT_SLUG, require_display_name, require_slug, split_pond
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import WebhookScope
from elasticlake.service.activity import note
from elasticlake.service.context import Stores
from elasticlake.service.pages import Page, PageRequest, filtered_page
from elasticlake.service.permissions import reaches_bucket, reaches_lake, reaches_pond, require, require_place
from elasticlake.service.place_sums import seen_lake, seen_pond
from elasticlake.service.reach import account_for, require_account


class Hierarchy:
    """The lake and pond operations over the stores."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._has_defaults = False

    async def create_lake(
        self, token: Token, slug: str, name: str | None = None, account_id: str | None = None
    ) -> Lake:
        """Make a lake. Raises `InvalidInput`, `AlreadyExists` (whoever's it is), `NoSuchAccount`."""
        require_slug("lake", slug)
        display_name = slug if name is None else require_display_name("name", name)
        owner = account_for(token, account_id)
        require_place(token, "admin", WebhookScope("lake", 0, slug))
        await self._ensure_defaults()
        self._stores.space.require()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> Lake:
            require_account(tx, owner)
            if hierarchy.get_lake(tx, slug) is not None:
                raise AlreadyExists(f"Lake {slug} already exists.")
            hierarchy.insert_lake(tx, slug, owner, display_name, now_ms)
            note(tx, token.actor, now_ms, Done("lake:created", slug, owner, detail={"name": display_name}))
            return _lake(tx, slug)

        return await self._stores.database.write(mutation)

    async def get_lake(self, token: Token, slug: str, permission: Permission = "list") -> Lake:
        """The lake; raises `NoSuchLake`, and `AccessDenied` where the token lacks the permission."""
        await self._ensure_defaults()
        return await self._stores.database.read(lambda reader: visible_lake(reader, token, slug, permission))

    async def list_lakes(self, token: Token, request: PageRequest) -> Page[Lake]:
        """The lakes that the token reaches, by slug."""
        require(token, "list")
        await self._ensure_defaults()

        async def fetch(after: str, limit: int) -> list[Lake]:
            return await self._stores.database.read(lambda reader: hierarchy.list_lakes(reader, after, limit))

        page = await filtered_page(request, fetch, lambda lake: lake.slug, lambda lake: _is_visible(token, lake))
        lakes = await self._stores.database.read(lambda reader: [seen_lake(reader, token, lake) for lake in page.items])
        return Page(lakes, page.next_cursor)

    async def rename_lake(self, token: Token, slug: str, name: str) -> Lake:
        """Change the display name, which payloads carry from the next event on."""
        require_display_name("name", name)
        await self._ensure_defaults()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> Lake:
            lake = _owned_lake(tx, token, slug)
            hierarchy.rename_lake(tx, slug, name)
            note(tx, token.actor, now_ms, Done("lake:renamed", slug, lake.account_id, detail={"name": name}))
            return _lake(tx, slug)

        return await self._stores.database.write(mutation)

    async def delete_lake(self, token: Token, slug: str) -> None:
        """Remove a lake. Raises `NotEmpty` while it has ponds or webhooks, and `Conflict` for lake `default`."""
        await self._ensure_defaults()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            lake = _owned_lake(tx, token, slug)
            if slug == DEFAULT_SLUG:
                raise Conflict("Lake default always exists.")
            if hierarchy.is_used(tx, lake_id=lake.id):
                raise NotEmpty("The lake still has ponds or webhooks.")
            hierarchy.delete_lake(tx, lake.id)
            note(tx, token.actor, now_ms, Done("lake:deleted", slug, lake.account_id))

        await self._stores.database.write(mutation)

    async def create_pond(self, token: Token, lake_slug: str, slug: str, name: str | None = None) -> Pond:
        """Make a pond in a lake. Raises `InvalidInput`, `NoSuchLake`, `AlreadyExists`."""
        require_slug("pond", slug)
        display_name = slug if name is None else require_display_name("name", name)
        place = WebhookScope("pond", 0, f"{lake_slug}--{slug}")
        await self._ensure_defaults()
        self._stores.space.require()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> Pond:
            lake = visible_lake(tx, token, lake_slug, "admin")
            require_place(token, "admin", place)
            if hierarchy.get_pond(tx, lake_slug, slug) is not None:
                raise AlreadyExists(f"Pond {lake_slug}--{slug} already exists.")
            hierarchy.insert_pond(tx, lake.id, slug, display_name, now_ms)
            done = Done("pond:created", place.name, lake.account_id, detail={"name": display_name})
            note(tx, token.actor, now_ms, done)
            return _pond(tx, lake_slug, slug)

        return await self._stores.database.write(mutation)

    async def get_pond(self, token: Token, lake_slug: str, slug: str, permission: Permission = "list") -> Pond:
        """The pond; raises `NoSuchPond`, or `NoSuchLake` if not even its lake exists, and `AccessDenied` where the
        token lacks the permission."""
        await self._ensure_defaults()
        return await self._stores.database.read(lambda reader: visible_pond(reader, token, lake_slug, slug, permission))

    async def list_ponds(self, token: Token, lake_slug: str, request: PageRequest) -> Page[Pond]:
        """The lake's ponds by slug; raises `NoSuchLake`."""
        lake = await self.get_lake(token, lake_slug)

        async def fetch(after: str, limit: int) -> list[Pond]:
            return await self._stores.database.read(lambda reader: hierarchy.list_ponds(reader, lake.id, after, limit))

        page = await filtered_page(
            request, fetch, lambda pond: pond.slug, lambda pond: reaches_pond(token, lake_slug, pond.slug)
        )
        ponds = await self._stores.database.read(
            lambda reader: [seen_pond(reader, token, lake, pond) for pond in page.items]
        )
        return Page(ponds, page.next_cursor)

    async def rename_pond(self, token: Token, lake_slug: str, slug: str, name: str) -> Pond:
        """Change the display name, which payloads carry from the next event on."""
        require_display_name("name", name)
        await self._ensure_defaults()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> Pond:
            lake, pond = _owned_pond(tx, token, lake_slug, slug)
            hierarchy.rename_pond(tx, pond.id, name)
            done = Done("pond:renamed", f"{lake_slug}--{slug}", lake.account_id, detail={"name": name})
            note(tx, token.actor, now_ms, done)
            return _pond(tx, lake_slug, slug)

        return await self._stores.database.write(mutation)

    async def delete_pond(self, token: Token, lake_slug: str, slug: str) -> None:
        """Remove a pond. Raises `NotEmpty` while it has buckets or webhooks."""
        await self._ensure_defaults()
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            lake, pond = _owned_pond(tx, token, lake_slug, slug)
            if (lake_slug, slug) == (DEFAULT_SLUG, DEFAULT_SLUG):
                raise Conflict("Pond default of lake default always exists.")
            if hierarchy.is_used(tx, pond_id=pond.id):
                raise NotEmpty("The pond still has buckets or webhooks.")
            hierarchy.delete_pond(tx, pond.id)
            note(tx, token.actor, now_ms, Done("pond:deleted", f"{lake_slug}--{slug}", lake.account_id))

        await self._stores.database.write(mutation)

    async def get_bucket(self, token: Token, name: str, permission: Permission = "list") -> Bucket:
        """The bucket, if the token reaches it; raises `NoSuchBucket`, and `AccessDenied` where it lacks the
        permission."""
        return await self._stores.database.read(lambda reader: visible_bucket(reader, token, name, permission))

    async def list_buckets(
        self, token: Token, request: PageRequest, *, lake: str | None = None, pond: str | None = None
    ) -> Page[Bucket]:
        """The buckets that the token reaches, by name: all, or those of a lake, or of a pond (as `lake--pond`)."""
        require(token, "list")
        lake_id = pond_id = None
        if pond is not None:
            lake_slug, slug = split_pond("pond", pond)
            pond_id = (await self.get_pond(token, lake_slug, slug)).id
            if lake not in (None, lake_slug):
                return Page([], None)
        elif lake is not None:
            lake_id = (await self.get_lake(token, lake)).id

        async def fetch(after: str, limit: int) -> list[Bucket]:
            return await self._stores.database.read(
                lambda reader: buckets.page(reader, after, limit, lake_id=lake_id, pond_id=pond_id)
            )

        return await filtered_page(
            request,
            fetch,
            lambda bucket: bucket.name.name,
            lambda bucket: reaches_bucket(token, bucket.account_id, bucket.name),
        )

    async def _ensure_defaults(self) -> None:
        """They cannot be deleted, so it is enough to have seen them once."""
        if self._has_defaults:
            return
        missing = await self._stores.database.read(
            lambda reader: hierarchy.get_pond(reader, DEFAULT_SLUG, DEFAULT_SLUG) is None
        )
        if missing:
            now_ms = self._stores.clock.now_ms()
            await self._stores.database.write(lambda tx: _insert_defaults(tx, now_ms))
        self._has_defaults = True


def visible_lake(reader: Reader, token: Token, slug: str, permission: Permission = "list") -> Lake:
    """The lake, if the token reaches something of it; raises `NoSuchLake`, and `AccessDenied` where the token lacks the
    permission."""
    lake = hierarchy.get_lake(reader, slug)
    if lake is None or not _is_visible(token, lake):
        raise NoSuchLake(f"There is no lake {slug}.")
    require(token, permission)
    return seen_lake(reader, token, lake)


def visible_pond(reader: Reader, token: Token, lake_slug: str, slug: str, permission: Permission = "list") -> Pond:
    """The pond, if the token reaches something of it; raises `NoSuchLake`, `NoSuchPond`, `AccessDenied`."""
    lake = visible_lake(reader, token, lake_slug, permission)
    pond = _pond(reader, lake_slug, slug)
    if not reaches_pond(token, lake_slug, slug):
        raise _no_pond(lake_slug, slug)
    return seen_pond(reader, token, lake, pond)


def visible_bucket(reader: Reader, token: Token, name: str, permission: Permission = "list") -> Bucket:
    """The live bucket, if the token reaches it; raises `NoSuchBucket`, and `AccessDenied` where the token lacks the
    permission."""
    bucket = buckets.find(reader, name)
    if bucket is None or not reaches_bucket(token, bucket.account_id, bucket.name):
        raise NoSuchBucket(f"There is no bucket {name}.")
    require(token, permission)
    return bucket


def _insert_defaults(tx: Transaction, now_ms: int) -> None:
    lake = hierarchy.get_lake(tx, DEFAULT_SLUG)
    if lake is None:
        hierarchy.insert_lake(tx, DEFAULT_SLUG, ROOT_ACCOUNT, DEFAULT_SLUG, now_ms)
        lake = _lake(tx, DEFAULT_SLUG)
    if hierarchy.get_pond(tx, DEFAULT_SLUG, DEFAULT_SLUG) is None:
        hierarchy.insert_pond(tx, lake.id, DEFAULT_SLUG, DEFAULT_SLUG, now_ms)


def _is_visible(token: Token, lake: Lake) -> bool:
    return reaches_lake(token, lake.slug) and (token.covers(lake.account_id) or lake.slug == DEFAULT_SLUG)


def _lake(reader: Reader, slug: str) -> Lake:
    lake = hierarchy.get_lake(reader, slug)
    if lake is None:
        raise NoSuchLake(f"There is no lake {slug}.")
    return lake


def _pond(reader: Reader, lake_slug: str, slug: str) -> Pond:
    pond = hierarchy.get_pond(reader, lake_slug, slug)
    if pond is None:
        raise _no_pond(lake_slug, slug)
    return pond


def _no_pond(lake_slug: str, slug: str) -> NoSuchPond:
    return NoSuchPond(f"There is no pond {lake_slug}--{slug}.")


def _owned_lake(reader: Reader, token: Token, slug: str) -> Lake:
    lake = visible_lake(reader, token, slug, "admin")
    _require_own(token, lake)
    require_place(token, "admin", WebhookScope("lake", lake.id, slug))
    return lake


def _owned_pond(reader: Reader, token: Token, lake_slug: str, slug: str) -> tuple[Lake, Pond]:
    lake = visible_lake(reader, token, lake_slug, "admin")
    _require_own(token, lake)
    pond = visible_pond(reader, token, lake_slug, slug, "admin")
    require_place(token, "admin", WebhookScope("pond", pond.id, f"{lake_slug}--{slug}"))
    return lake, pond


def _require_own(token: Token, lake: Lake) -> None:
    if not token.covers(lake.account_id):
        raise AccessDenied(f"Lake {lake.slug} belongs to another account.")
