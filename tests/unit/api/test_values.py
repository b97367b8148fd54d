"""The limits that schemas tell of are those that the services keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from elasticlake.api import values
from elasticlake.errors import InvalidInput
from elasticlake.model.accounts import require_access_key_id, require_account_id, require_secret_access_key
from elasticlake.model.custom_headers import require_headers
from elasticlake.model.filters import Filter, require_filter
from elasticlake.model.names import parse_bucket_name, require_slug, split_pond

NAMES = st.one_of(
    st.from_regex(r"[a-z0-9.-]{0,4}(--[a-z0-9]{0,3}){0,3}[a-z0-9.-]{0,3}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9._\- é\n]{0,6}", fullmatch=True),
    st.from_regex(
        r"(xn--|sthree-|amzn-s3-demo-)?[ab]{0,4}(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)?", fullmatch=True
    ),
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", fullmatch=True),
    st.integers(54, 130).map("a".__mul__),
    st.just("default--default--a"),
)


def require_value(text: str) -> object:
    return require_headers({"X-A": text})


def require_media_type(text: str) -> object:
    return require_filter(Filter(content_type=(text,)))


@pytest.mark.parametrize(
    ("kind", "keep"),
    [
        (values.Slug, lambda text: require_slug("lake", text)),
        (values.PondName, lambda text: split_pond("pond", text)),
        (values.BucketText, parse_bucket_name),
        (values.AccountName, require_account_id),
        (values.KeyName, require_access_key_id),
        (values.KeySecret, require_secret_access_key),
    ],
    ids=["slug", "pond", "bucket", "account", "key", "secret"],
)
@given(text=NAMES)
def test_a_name_fits_its_schema_just_where_it_is_taken(kind: Any, keep: Callable[[str], object], text: str) -> None:
    assert fits(TypeAdapter(kind).json_schema(), text) == is_taken(keep, text)


@given(
    text=st.one_of(st.sampled_from(["image/*", "image/png", "*/*", "image", "a/b/c", "é/a", ""]), st.text(max_size=8))
)
def test_a_media_type_fits_its_schema_just_where_it_is_taken(text: str) -> None:
    assert fits(TypeAdapter(values.MediaTypes).json_schema()["items"], text) == is_taken(require_media_type, text)


@given(text=st.text(st.characters(min_codepoint=0x1E, max_codepoint=0x81), max_size=4))
def test_a_header_s_value_fits_its_schema_just_where_it_is_taken(text: str) -> None:
    schema = TypeAdapter(values.HeaderValues).json_schema()["additionalProperties"]
    assert fits(schema, text) == (is_taken(require_value, text) or text == "***")


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.678+01:00"])
def test_a_time_is_one_of_rfc_3339(text: str) -> None:
    assert TypeAdapter(values.Moment).validate_python(text).year == 2026


@pytest.mark.parametrize(
    "text", [0.5, "1767323045", "2026-01-02", "2026-01-02 03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05"]
)
def test_other_writings_of_a_time_are_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(values.Moment).validate_python(text)


def fits(schema: dict[str, Any], text: str) -> bool:
    # `$` of JSON Schema is the end of the text, as Python's `\\Z` is.
    pattern = schema.get("pattern", "").removesuffix("$") + r"\Z"
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", len(text))
    return shortest <= len(text) <= longest and re.search(pattern, text) is not None


def is_taken(keep: Callable[[str], object], text: str) -> bool:
    try:
        keep(text)
    except InvalidInput:
        return False
    return True
