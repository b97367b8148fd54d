"""Bucket names in the hierarchy, slugs and display names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidBucketName, InvalidInput
from elasticlake.model.names import (
    BucketName,
    is_slug,
    parse_bucket_name,
    require_display_name,
    require_slug,
    split_pond,
)

SLUGS = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)


@pytest.mark.parametrize("text", ["a", "9", "lake1", "a-b", "a-b-c", "0-0"])
def test_slugs(text: str) -> None:
    assert is_slug(text)
    assert require_slug("lake", text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "ä", "a\n", "١"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)
    with pytest.raises(InvalidInput) as refused:
        require_slug("lake", text)
    assert refused.value.field == "lake"


def test_a_slug_leaves_room_for_the_rest_of_the_name() -> None:
    assert require_slug("pond", "a" * 57)
    assert parse_bucket_name(f"{'a' * 57}--b--c"[:63]).name
    with pytest.raises(InvalidInput):
        require_slug("pond", "a" * 58)


@given(SLUGS, SLUGS, SLUGS)
def test_exactly_two_separators_make_a_hierarchical_name(lake: str, pond: str, slug: str) -> None:
    name = f"{lake}--{pond}--{slug}"
    reserved = name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(
        ("--ol-s3", "-s3alias", "--x-s3", "--table-s3")
    )
    if reserved or (lake, pond) == ("default", "default"):
        return
    parsed = parse_bucket_name(name)
    assert parsed == BucketName(name, lake, pond, slug)
    assert not parsed.is_plain


@pytest.mark.parametrize(
    "name",
    ["abc", "my-bucket", "my.bucket.example", "a--b", "a--b--c--d", "a---b--c", "123", "a" * 63, "1.2.3.4.5", "v1x"],
)
def test_every_other_name_is_plain(name: str) -> None:
    parsed = parse_bucket_name(name)
    assert parsed == BucketName(name, "default", "default", name)
    assert parsed.is_plain


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 64,
        "Bucket",
        "my_bucket",
        "-abc",
        "abc-",
        ".abc",
        "abc.",
        "a..b",
        "a b",
        "abc\n",
        "ключ",
        "192.168.5.4",
        "xn--abc",
        "sthree-abc",
        "amzn-s3-demo-abc",
        "abc-s3alias",
        "abc--ol-s3",
        "abc.mrap",
        "abc--x-s3",
        "default--default--b",
    ],
)
def test_names_that_s3_or_we_refuse(name: str) -> None:
    with pytest.raises(InvalidBucketName) as refused:
        parse_bucket_name(name)
    assert refused.value.field == "bucket"


def test_half_of_the_default_place_may_be_named() -> None:
    assert parse_bucket_name("default--p--b").pond == "p"
    assert parse_bucket_name("l--default--b").lake == "l"


def test_the_names_of_our_own_paths_are_no_buckets() -> None:
    for name in ("v1", "ui"):
        with pytest.raises(InvalidBucketName):
            parse_bucket_name(name)


def test_a_pond_is_written_with_its_lake() -> None:
    assert split_pond("pond", "lake1--pond1") == ("lake1", "pond1")


@pytest.mark.parametrize("text", ["", "pond1", "lake1--", "--pond1", "a--b--c", "a---b", "A--b", "a-b"])
def test_what_is_no_pond(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        split_pond("scope", text)
    assert refused.value.field == "scope"


@pytest.mark.parametrize("text", ["a", "Produktion – Süd", "🦆", "x" * 200, "a b"])
def test_display_names(text: str) -> None:
    assert require_display_name("name", text) == text


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "a\nb", "\x00", "\u202e"])
def test_what_people_cannot_read_as_a_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        require_display_name("name", text)
