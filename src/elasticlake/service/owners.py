"""How owners are shown."""

from __future__ import annotations

from elasticlake.metadata import accounts
from elasticlake.metadata.database import Database
from elasticlake.model.accounts import ROOT_ACCOUNT


async def display_name(database: Database, account_id: str) -> str:
    """The account's display name; its id if there is no such account (any more)."""
    if account_id == ROOT_ACCOUNT:
        return ROOT_ACCOUNT
    account = await database.read(lambda reader: accounts.get_account(reader, account_id), loose=True)
    return account.display_name if account is not None else account_id
