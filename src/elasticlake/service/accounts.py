"""Operations on accounts and their access keys."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from elasticlake.config.master_key import MasterKey
from elasticlake.errors import (
    AlreadyExists,
    Conflict,
    InvalidBucketName,
    InvalidInput,
    NoSuchAccessKey,
    NoSuchAccount,
    NotEmpty,
)
from elasticlake.metadata import accounts, activity, buckets
from elasticlake.metadata.database import Transaction
from elasticlake.model.accounts import (
    ROOT_ACCOUNT,
    AccessKey,
    Account,
    Scope,
    Token,
    require_access_key_id,
    require_account_id,
    require_secret_access_key,
)
from elasticlake.model.activity import Done
from elasticlake.model.ids import new_access_key_id, new_secret_access_key
from elasticlake.model.names import require_display_name
from elasticlake.service.activity import note
from elasticlake.service.context import Stores
from elasticlake.service.pages import Page, PageRequest, after_name, filtered_page, page_of
from elasticlake.service.permissions import require_permissions, require_whole
from elasticlake.service.reach import require_account, require_every_account

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ROOT = Account(ROOT_ACCOUNT, "root", "root@localhost", 0)
_CACHED_KEYS = 4096
MAX_LISTED = 200
"""Places of a kind, or prefixes, that a scope may name: each request of its key looks at them."""


class RootCredentials(Protocol):
    """The key pair that the server was started with."""

    @property
    def access_key_id(self) -> str: ...

    @property
    def secret(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewKey:
    """An access key to make; what is None is generated, and no scope is every permission everywhere."""

    access_key_id: str | None = None
    secret: str | None = None
    scope: Mapping[str, Any] | None = None


class Accounts:
    """The account and key operations over the stores. The account `root` always exists and is nowhere stored."""

    def __init__(self, stores: Stores, master_key: MasterKey, root: RootCredentials) -> None:
        self._stores = stores
        self._master_key = master_key
        self._root_key = AccessKey(root.access_key_id, ROOT_ACCOUNT, Scope(), 0, root.secret)
        self._opened: dict[bytes, AccessKey] = {}

    async def create(self, token: Token, account_id: str | None, display_name: str, email: str) -> Account:
        """Make an account. Raises `InvalidInput`, and `AlreadyExists` for an id in use."""
        require_every_account(token)
        identity = require_account_id(account_id) if account_id is not None else f"acct-{secrets.token_hex(8)}"
        account = Account(
            identity,
            require_display_name("displayName", display_name),
            _require_email(email),
            self._stores.clock.now_ms(),
        )
        self._stores.space.require()

        def mutation(tx: Transaction) -> None:
            if account.id == ROOT_ACCOUNT or accounts.get_account(tx, account.id) is not None:
                raise AlreadyExists(f"The account {account.id} already exists.")
            accounts.put_account(tx, account)
            note(tx, token.actor, account.created_at_ms, Done("account:created", account.id, account.id))

        await self._stores.database.write(mutation)
        return account

    async def get(self, token: Token, account_id: str) -> Account:
        """The account; raises `NoSuchAccount`."""
        require_whole(token)
        if not token.covers(account_id):
            raise NoSuchAccount
        if account_id == ROOT_ACCOUNT:
            return _ROOT
        account = await self._stores.database.read(lambda reader: accounts.get_account(reader, account_id))
        if account is None:
            raise NoSuchAccount
        return account

    async def list(self, token: Token, request: PageRequest) -> Page[Account]:
        """The accounts that the token reaches, by id."""
        require_whole(token)

        async def fetch(after: str, limit: int) -> list[Account]:
            stored = await self._stores.database.read(lambda reader: accounts.list_accounts(reader, after, limit))
            ahead = [_ROOT] if after < ROOT_ACCOUNT else []
            return sorted([*ahead, *stored], key=lambda account: account.id)[:limit]

        return await filtered_page(request, fetch, lambda account: account.id, lambda account: token.covers(account.id))

    async def change(
        self, token: Token, account_id: str, display_name: str | None = None, email: str | None = None
    ) -> Account:
        """Change what is said of an account; None leaves a field as it is."""
        await self._changeable(token, account_id)
        if display_name is not None:
            require_display_name("displayName", display_name)
        if email is not None:
            _require_email(email)
        now_ms = self._stores.clock.now_ms()
        given = [name for name, value in (("displayName", display_name), ("email", email)) if value is not None]

        def mutation(tx: Transaction) -> Account:
            current = accounts.get_account(tx, account_id)
            if current is None:
                raise NoSuchAccount
            changed = replace(current, display_name=display_name or current.display_name, email=email or current.email)
            accounts.put_account(tx, changed)
            done = Done("account:changed", account_id, account_id, detail={"fields": given})
            note(tx, token.actor, now_ms, done)
            return changed

        return await self._stores.database.write(mutation)

    async def delete(self, token: Token, account_id: str) -> None:
        """Remove an account, its keys, and its place in tokens. Raises `NotEmpty` while it owns anything."""
        require_every_account(token)
        await self._changeable(token, account_id)
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            require_account(tx, account_id)
            if accounts.owns_anything(tx, account_id):
                raise NotEmpty("The account still owns lakes, buckets or webhooks.")
            accounts.delete_account(tx, account_id)
            accounts.remove_account_from_tokens(tx, account_id)
            activity.disown(tx, account_id)
            note(tx, token.actor, now_ms, Done("account:deleted", account_id, None))

        await self._stores.database.write(mutation)

    async def create_key(self, token: Token, account_id: str, new: NewKey) -> AccessKey:
        """Make an access key; only this answer holds its secret. Raises `InvalidInput` and `AlreadyExists`."""
        await self.get(token, account_id)
        identity = new_access_key_id() if new.access_key_id is None else require_access_key_id(new.access_key_id)
        secret = new_secret_access_key() if new.secret is None else require_secret_access_key(new.secret)
        key = AccessKey(identity, account_id, _scope(new.scope), self._stores.clock.now_ms(), secret)
        require_permissions(token, key.scope.permissions)
        self._stores.space.require()
        ciphertext = self._master_key.encrypt(secret)

        def mutation(tx: Transaction) -> None:
            require_account(tx, account_id)
            _require_own_buckets(tx, key)
            if key.id == self._root_key.id or accounts.get_key(tx, key.id) is not None:
                raise AlreadyExists(f"The access key {key.id} already exists.")
            accounts.insert_key(tx, key, ciphertext)
            note(tx, token.actor, key.created_at_ms, Done("key:created", key.id, account_id, detail=_limits(key.scope)))

        await self._stores.database.write(mutation)
        return key

    async def list_keys(self, token: Token, account_id: str, request: PageRequest) -> Page[AccessKey]:
        """The account's access keys by id, without their secrets; root's own among them."""
        await self.get(token, account_id)
        after, limit = after_name(request), request.limit + 1
        stored = await self._stores.database.read(lambda reader: accounts.list_keys(reader, account_id, after, limit))
        own = [self._root_key] if account_id == ROOT_ACCOUNT and after < self._root_key.id else []
        keys = sorted([*own, *stored], key=lambda key: key.id)[:limit]
        return page_of([replace(key, secret="") for key in keys], request.limit, lambda key: key.id)

    async def delete_key(self, token: Token, account_id: str, access_key_id: str) -> None:
        """Remove an access key, which stops working at once. Raises `NoSuchAccessKey`, `Conflict` for root's own."""
        await self.get(token, account_id)
        if account_id == ROOT_ACCOUNT and access_key_id == self._root_key.id:
            raise Conflict("Root's own key comes from the server's configuration.")
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            if not accounts.delete_key(tx, account_id, access_key_id):
                raise NoSuchAccessKey
            note(tx, token.actor, now_ms, Done("key:deleted", access_key_id, account_id))

        await self._stores.database.write(mutation)

    async def find_key(self, access_key_id: str) -> AccessKey:
        """The key with its secret, to check a signature by; raises `NoSuchAccessKey`.

        Every signed request comes here, so a secret is decrypted once: a ciphertext is never sealed the same way twice,
        and the row that is read each time says whether the key still exists.
        """
        if access_key_id == self._root_key.id:
            return self._root_key
        stored = await self._stores.database.read(lambda reader: accounts.get_key(reader, access_key_id), loose=True)
        if stored is None:
            raise NoSuchAccessKey
        opened = self._opened.get(stored.ciphertext)
        if opened is None or opened.id != access_key_id:
            opened = self._open(stored)
        return opened

    def _open(self, stored: accounts.StoredKey) -> AccessKey:
        if len(self._opened) >= _CACHED_KEYS:
            self._opened.clear()
        opened = replace(stored.key, secret=self._master_key.decrypt(stored.ciphertext))
        self._opened[stored.ciphertext] = opened
        return opened

    async def _changeable(self, token: Token, account_id: str) -> None:
        await self.get(token, account_id)
        if account_id == ROOT_ACCOUNT:
            raise Conflict("The account root is built in.")


def _require_email(text: str) -> str:
    if len(text) > 254 or not text.isprintable() or _EMAIL.fullmatch(text) is None:
        raise InvalidInput("email", "This is not an e-mail address of at most 254 characters.")
    return text


def _scope(document: Mapping[str, Any] | None) -> Scope:
    try:
        scope = Scope.from_json(document or {})
    except InvalidBucketName as error:
        raise InvalidInput("scope.buckets", str(error)) from None
    for name, listed in scope.to_json().items():
        if len(listed) > MAX_LISTED:
            raise InvalidInput(f"scope.{name}", f"A scope names at most {MAX_LISTED} of them.")
    return scope


def _limits(scope: Scope) -> dict[str, list[str]]:
    """What a scope is like; the places and prefixes themselves may be many."""
    limited = [name for name, values in scope.to_json().items() if name != "permissions" and values]
    return {"permissions": list(scope.permissions), "limitedTo": limited}


def _require_own_buckets(tx: Transaction, key: AccessKey) -> None:
    """A key limited to a bucket that it can never reach would only ever be refused; better to say so now."""
    for name in key.scope.buckets:
        bucket = buckets.find(tx, name)
        if bucket is not None and key.account_id not in (bucket.account_id, ROOT_ACCOUNT):
            reason = f"Bucket {name} belongs to another account; a key reaches only its own account's buckets."
            raise InvalidInput("scope.buckets", reason)
