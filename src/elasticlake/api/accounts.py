"""Accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from pydantic import ConfigDict

from elasticlake.api.documents import (
    Body,
    Document,
    DocumentPage,
    Timestamp,
    example,
    page_request,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import AccountName, DisplayName, Email
from elasticlake.model.accounts import Account
from elasticlake.service.pages import PageRequest

router = resource("accounts")
AccountId = Annotated[str, Path(examples=["acme"], description="The account's id.")]


class NewAccount(Body):
    model_config = ConfigDict(json_schema_extra=example(id="acme", displayName="Acme", email="storage@acme.example"))

    id: AccountName | None = None
    display_name: DisplayName
    email: Email


class AccountChange(Body):
    model_config = ConfigDict(json_schema_extra=example(displayName="Acme Corporation"))

    display_name: DisplayName | None = None
    email: Email | None = None


class AccountDocument(Document):
    model_config = ConfigDict(
        json_schema_extra=example(
            id="acme", displayName="Acme", email="storage@acme.example", createdAt="2026-01-02T03:04:05.678Z"
        )
    )

    id: str
    display_name: str
    email: str
    created_at: Timestamp

    @classmethod
    def of(cls, account: Account) -> AccountDocument:
        return cls(
            id=account.id,
            display_name=account.display_name,
            email=account.email,
            created_at=timestamp(account.created_at_ms),
        )


@router.post(
    "/accounts",
    status_code=201,
    summary="Create an account",
    openapi_extra=may_answer("already-exists", "insufficient-storage"),
)
async def create_account(call: Call, body: NewAccount) -> AccountDocument:
    """An account owns lakes, buckets, access keys and webhooks. A missing `id` is generated."""
    made = await call.services.accounts.create(call.token, body.id, body.display_name, body.email)
    return AccountDocument.of(made)


@router.get("/accounts", summary="List accounts")
async def list_accounts(
    call: Call, page: Annotated[PageRequest, Depends(page_request)]
) -> DocumentPage[AccountDocument]:
    """The account `root` always exists."""
    found = await call.services.accounts.list(call.token, page)
    return DocumentPage(items=[AccountDocument.of(account) for account in found.items], next_cursor=found.next_cursor)


@router.get("/accounts/{id}", summary="Get an account")
async def get_account(call: Call, id: AccountId) -> AccountDocument:
    """Its display name, its e-mail address, and since when it exists."""
    return AccountDocument.of(await call.services.accounts.get(call.token, id))


@router.patch("/accounts/{id}", summary="Change an account", openapi_extra=may_answer("conflict"))
async def change_account(call: Call, id: AccountId, body: AccountChange) -> AccountDocument:
    """What is left out stays. The account `root` is built in and cannot be changed."""
    return AccountDocument.of(await call.services.accounts.change(call.token, id, body.display_name, body.email))


@router.delete(
    "/accounts/{id}", status_code=204, summary="Delete an account", openapi_extra=may_answer("conflict", "not-empty")
)
async def delete_account(call: Call, id: AccountId) -> None:
    """Its access keys go with it. 409 while it owns a lake, a bucket or a webhook."""
    await call.services.accounts.delete(call.token, id)
