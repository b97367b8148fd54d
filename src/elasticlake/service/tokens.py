"""Operations on the REST API's bearer tokens."""

from __future__ import annotations

import hmac
from typing import get_args

from elasticlake.errors import AccessDenied, InvalidInput, NoSuchToken
from elasticlake.metadata import accounts
from elasticlake.metadata.database import Database, Transaction
from elasticlake.model.accounts import Token, TokenAccess, token_hash
from elasticlake.model.activity import Done
from elasticlake.model.ids import new_token, new_token_id
from elasticlake.model.names import require_display_name
from elasticlake.service.activity import note
from elasticlake.service.context import Stores
from elasticlake.service.pages import Page, PageRequest, after_name, page_of
from elasticlake.service.permissions import require_permissions
from elasticlake.service.reach import require_account, require_every_account

ROOT_TOKEN = Token("root", "root", None, "write", 0)
MAX_ACCOUNTS = 1000


class Authenticator:
    """Knows tokens by their text: the one that the server was started with, and those made here."""

    def __init__(self, database: Database, root_token: str) -> None:
        self._database = database
        self._root_token = root_token.encode()

    async def authenticate(self, bearer: str) -> Token:
        """The token whose text this is; raises `AccessDenied`."""
        if not bearer.isascii():
            raise AccessDenied
        if hmac.compare_digest(bearer.encode(), self._root_token):
            return ROOT_TOKEN
        hashed = token_hash(bearer)
        found = await self._database.read(lambda reader: accounts.get_token_by_hash(reader, hashed), loose=True)
        if found is None:
            raise AccessDenied
        return found


class Tokens:
    """The token operations over the stores; `root_token` is the one that the server was started with."""

    def __init__(self, stores: Stores, root_token: str) -> None:
        self._stores = stores
        self.authenticate = Authenticator(stores.database, root_token).authenticate

    async def create(
        self, token: Token, *, name: str = "", account_ids: tuple[str, ...] | None = None, access: str
    ) -> tuple[Token, str]:
        """Make a token for some accounts (None: for all) and return it with its text, which nothing else ever shows.

        Raises `AccessDenied` to a token that is itself limited, `InvalidInput` and `NoSuchAccount`.
        """
        require_every_account(token)
        require_permissions(token)
        made = Token(
            new_token_id(),
            require_display_name("name", name) if name else "",
            _require_accounts(account_ids),
            _require_access(access),
            self._stores.clock.now_ms(),
        )
        text = new_token()
        self._stores.space.require()

        def mutation(tx: Transaction) -> None:
            for account_id in made.accounts or ():
                require_account(tx, account_id)
            accounts.insert_token(tx, made, token_hash(text))
            detail = {"name": made.name, "access": made.access, "isLimited": made.accounts is not None}
            note(tx, token.actor, made.created_at_ms, Done("token:created", made.id, None, detail=detail))

        await self._stores.database.write(mutation)
        return made, text

    async def list(self, token: Token, request: PageRequest) -> Page[Token]:
        """Every token made here, by id."""
        require_every_account(token)
        after = after_name(request)
        rows = await self._stores.database.read(lambda reader: accounts.list_tokens(reader, after, request.limit + 1))
        return page_of(rows, request.limit, lambda row: row.id)

    async def delete(self, token: Token, token_id: str) -> None:
        """Remove a token, which stops working at once. Raises `NoSuchToken`."""
        require_every_account(token)
        now_ms = self._stores.clock.now_ms()

        def mutation(tx: Transaction) -> None:
            if not accounts.delete_token(tx, token_id):
                raise NoSuchToken
            note(tx, token.actor, now_ms, Done("token:deleted", token_id, None))

        await self._stores.database.write(mutation)


def require_write(token: Token) -> None:
    """Raise `AccessDenied` for a token that may only read."""
    if token.access != "write":
        raise AccessDenied("This token may only read.")


def _require_accounts(account_ids: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if account_ids is None:
        return None
    if not 1 <= len(account_ids) <= MAX_ACCOUNTS:
        raise InvalidInput("accounts", f"Name 1 to {MAX_ACCOUNTS} accounts, or leave the list out for every account.")
    return tuple(dict.fromkeys(account_ids))


def _require_access(access: str) -> TokenAccess:
    for known in get_args(TokenAccess):
        if access == known:
            return known  # type: ignore[no-any-return]
    raise InvalidInput("access", "A token's access is read or write.")
