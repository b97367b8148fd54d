"""What all documents share: camelCase, strictness, pages, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from elasticlake.api.authentication import AuthenticatedRoute
from elasticlake.clock import rfc3339_milliseconds
from elasticlake.service.pages import MAX_PAGE, PageRequest

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _require_unicode(text: str) -> str:
    """JSON can write half of a surrogate pair, which is no character: no store and no encoding takes it."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError("no_text", "This is not valid Unicode text") from None
    return text


Text = Annotated[str, AfterValidator(_require_unicode)]


class Body(BaseModel):
    """What a caller sends: a member that we do not know is refused, not ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Document(BaseModel):
    """What we answer."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class DocumentPage(Document, Generic[T]):
    """A page of a list; `nextCursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None


NULL = "\0null"
"""Stands for null in an example until the description is whole: FastAPI leaves out every null."""


def example(**members: Any) -> dict[str, Any]:
    """For a model's configuration: the example that its schema shows."""
    return {"examples": [_spelled(members)]}


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spelled(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    return NULL if value is None else value


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


IfGiven = Annotated[
    T | SkipJsonSchema[None],
    Field(exclude_if=lambda value: value is None, json_schema_extra=_without_default),
]
"""A member that is left out, and never null, where there is nothing to say."""
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-02T03:04:05.678Z"])]
WaitSeconds = Annotated[
    float, Query(ge=0, le=60, allow_inf_nan=False, description="How long to wait at most, in seconds.", examples=[5])
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many items at most.", examples=[100])]
Cursor = Annotated[
    str | None,
    Query(
        max_length=8192,
        pattern="^[A-Za-z0-9_=-]*$",
        description="The page before's `nextCursor`.",
        examples=["WyJsYWtlMSJd"],
    ),
]


def timestamp(time_ms: int) -> str:
    return rfc3339_milliseconds(time_ms)


def optional_timestamp(time_ms: int | None) -> str | None:
    return rfc3339_milliseconds(time_ms) if time_ms is not None else None


def milliseconds(time: datetime) -> int:
    """Since the Unix epoch."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def page_request(limit: Limit = 100, cursor: Cursor = None) -> PageRequest:
    """The page that the query asks for."""
    return PageRequest(cursor or None, limit)


def resource(name: str) -> APIRouter:
    """A router for one resource."""
    return APIRouter(prefix="/v1", tags=[name], route_class=AuthenticatedRoute)
