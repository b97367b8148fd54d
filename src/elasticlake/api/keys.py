"""Access keys of accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from pydantic import ConfigDict, Field

from elasticlake.api.accounts import AccountId
from elasticlake.api.documents import (
    Body,
    Document,
    DocumentPage,
    IfGiven,
    Text,
    Timestamp,
    example,
    page_request,
    resource,
    timestamp,
)
from elasticlake.api.refusals import may_answer
from elasticlake.api.services import Call
from elasticlake.api.values import BucketText, KeyName, KeySecret, Listed, PondName, SlugText
from elasticlake.model.accounts import AccessKey, Permission
from elasticlake.service.accounts import NewKey
from elasticlake.service.pages import PageRequest

router = resource("keys")
AccessKeyId = Annotated[str, Path(examples=["EL7XQ2M4ZK5TWPN3VJ6A"], description="The access key's id.")]


class ScopeBody(Body):
    """What the key may touch; an empty or missing list limits nothing."""

    lakes: Listed[SlugText] = Field(default=[])
    ponds: Listed[PondName] = Field(default=[])
    buckets: Listed[BucketText] = Field(default=[])
    prefixes: Listed[Text] = Field(default=[])
    permissions: Listed[Permission] = Field(default=[])


class NewKeyBody(Body):
    model_config = ConfigDict(
        json_schema_extra=example(scope={"ponds": ["lake1--pond1"], "permissions": ["read", "write", "list"]})
    )

    access_key_id: KeyName | None = None
    secret_access_key: KeySecret | None = None
    scope: ScopeBody | None = None


class ScopeDocument(Document):
    lakes: list[str]
    ponds: list[str]
    buckets: list[str]
    prefixes: list[str]
    permissions: list[Permission]


class KeyDocument(Document):
    """An access key; `secretAccessKey` is in the answer that made it, and never again."""

    model_config = ConfigDict(
        json_schema_extra=example(
            accessKeyId="EL7XQ2M4ZK5TWPN3VJ6A",
            account="acme",
            scope={
                "lakes": [],
                "ponds": ["lake1--pond1"],
                "buckets": [],
                "prefixes": [],
                "permissions": ["read", "write", "list"],
            },
            createdAt="2026-01-02T03:04:05.678Z",
        )
    )

    access_key_id: str
    secret_access_key: IfGiven[str] = None
    account: str
    scope: ScopeDocument
    created_at: Timestamp

    @classmethod
    def of(cls, key: AccessKey) -> KeyDocument:
        return cls(
            access_key_id=key.id,
            secret_access_key=key.secret or None,
            account=key.account_id,
            scope=ScopeDocument.model_validate(key.scope.to_json()),
            created_at=timestamp(key.created_at_ms),
        )


@router.post(
    "/accounts/{id}/keys",
    status_code=201,
    summary="Create an access key",
    openapi_extra=may_answer("already-exists", "insufficient-storage"),
)
async def create_key(call: Call, id: AccountId, body: NewKeyBody) -> KeyDocument:
    """Own values are welcome; what is missing is generated. Only this answer shows the secret."""
    scope = body.scope.model_dump() if body.scope is not None else None
    new = NewKey(body.access_key_id, body.secret_access_key, scope)
    return KeyDocument.of(await call.services.accounts.create_key(call.token, id, new))


@router.get("/accounts/{id}/keys", summary="List an account's access keys")
async def list_keys(
    call: Call, id: AccountId, page: Annotated[PageRequest, Depends(page_request)]
) -> DocumentPage[KeyDocument]:
    """In the order of their ids; without their secrets."""
    found = await call.services.accounts.list_keys(call.token, id, page)
    return DocumentPage(items=[KeyDocument.of(key) for key in found.items], next_cursor=found.next_cursor)


@router.delete(
    "/accounts/{id}/keys/{accessKeyId}",
    status_code=204,
    summary="Delete an access key",
    openapi_extra=may_answer("conflict"),
)
async def delete_key(
    call: Call, id: AccountId, access_key_id: Annotated[AccessKeyId, Path(alias="accessKeyId")]
) -> None:
    """It stops working at once."""
    await call.services.accounts.delete_key(call.token, id, access_key_id)
