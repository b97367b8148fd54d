"""What a token reaches: every account, or those it names. Whatever belongs to another account does not exist for it."""

from __future__ import annotations

from elasticlake.errors import AccessDenied, InvalidInput, NoSuchAccount
from elasticlake.metadata import accounts
from elasticlake.metadata.database import Reader
from elasticlake.model.accounts import ROOT_ACCOUNT, Token
from elasticlake.service.permissions import require_whole


def require_every_account(token: Token) -> None:
    """Raise `AccessDenied` for a token that is limited to some accounts, or to some of what they have: accounts and
    tokens are not theirs to make."""
    require_whole(token)
    if token.accounts is not None:
        raise AccessDenied("This token is limited to some accounts.")


def account_for(token: Token, account_id: str | None) -> str:
    """The account that something new shall belong to: the one named, else the token's only one, else root.

    Raises `NoSuchAccount` for one out of reach, and `InvalidInput` where a token of several accounts must name one.
    """
    if account_id is not None:
        if not token.covers(account_id):
            raise NoSuchAccount
        return account_id
    if token.accounts is None:
        return ROOT_ACCOUNT
    if len(token.accounts) == 1:
        return token.accounts[0]
    raise InvalidInput("account", "This token is for several accounts: name the one that shall own it.")


def require_account(reader: Reader, account_id: str) -> None:
    """Raise `NoSuchAccount` unless the account exists; root always does."""
    if account_id != ROOT_ACCOUNT and accounts.get_account(reader, account_id) is None:
        raise NoSuchAccount
