"""Bearer tokens of this API."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path
from pydantic import ConfigDict

from elasticlake.api.documents import (
    Body,
    Document,
    DocumentPage,
    IfGiven,
    Timestamp,
    example,
    page_request,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import AccountNames, DisplayName
from elasticlake.model.accounts import Token, TokenAccess
from elasticlake.service.pages import PageRequest

router = resource("tokens")
TokenId = Annotated[str, Path(examples=["tok_mfrggzdfmztwq2lk"], description="The token's id.")]


class NewToken(Body):
    model_config = ConfigDict(json_schema_extra=example(name="ci", accounts=["acme"], access="read"))

    name: DisplayName | Literal[""] = ""
    accounts: AccountNames | None = None
    access: TokenAccess


class TokenDocument(Document):
    """A token; its text, `token`, is in the answer that made it, and never again. `accounts` null is every account."""

    model_config = ConfigDict(
        json_schema_extra=example(
            id="tok_mfrggzdfmztwq2lk",
            name="ci",
            accounts=["acme"],
            access="read",
            createdAt="2026-01-02T03:04:05.678Z",
        )
    )

    id: str
    name: str
    accounts: list[str] | None
    access: TokenAccess
    created_at: Timestamp
    token: IfGiven[str] = None

    @classmethod
    def of(cls, token: Token, text: str | None = None) -> TokenDocument:
        return cls(
            id=token.id,
            name=token.name,
            accounts=list(token.accounts) if token.accounts is not None else None,
            access=token.access,
            created_at=timestamp(token.created_at_ms),
            token=text,
        )


@router.post(
    "/tokens",
    status_code=201,
    summary="Create a token",
    openapi_extra=may_answer("no-such-account", "insufficient-storage"),
)
async def create_token(call: Call, body: NewToken) -> TokenDocument:
    """A token that names accounts sees and touches only what is theirs; `read` allows GET and HEAD alone."""
    account_ids = tuple(body.accounts) if body.accounts is not None else None
    made, text = await call.services.tokens.create(
        call.token, name=body.name, account_ids=account_ids, access=body.access
    )
    return TokenDocument.of(made, text)


@router.get("/tokens", summary="List tokens")
async def list_tokens(call: Call, page: Annotated[PageRequest, Depends(page_request)]) -> DocumentPage[TokenDocument]:
    """Without their texts. The server's own token comes from its configuration and is not listed."""
    found = await call.services.tokens.list(call.token, page)
    return DocumentPage(items=[TokenDocument.of(token) for token in found.items], next_cursor=found.next_cursor)


@router.delete("/tokens/{id}", status_code=204, summary="Delete a token")
async def delete_token(call: Call, id: TokenId) -> None:
    """It stops working at once."""
    await call.services.tokens.delete(call.token, id)
