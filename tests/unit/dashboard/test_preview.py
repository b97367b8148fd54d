"""As what an object is shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.preview import MAX_PDF_BYTES, MAX_ROWS, READ_BYTES, Preview, kind_of, read_preview
from elasticlake.model.objects import Attributes, Content, ObjectVersion


def version(content_type: str, key: str = "key", size_bytes: int = 10, **headers: str) -> ObjectVersion:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    attributes = Attributes(content_type, named)
    return ObjectVersion(key.encode(), 1, size_bytes, "etag", 0, attributes, "private", None, Content())


def shown(kind: str, data: bytes, size_bytes: int | None = None) -> Preview:
    return read_preview(kind, data, len(data) if size_bytes is None else size_bytes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content_type", "key", "kind"),
    [
        ("image/png", "x", "image"),
        ("image/svg+xml", "x", "image"),
        ("image/tiff", "x", "none"),
        ("audio/mpeg", "x", "audio"),
        ("video/mp4", "x", "video"),
        ("application/pdf", "x", "pdf"),
        ("Text/CSV; charset=utf-8", "x", "csv"),
        ("application/json", "x", "json"),
        ("application/geo+json", "x", "json"),
        ("text/html", "x.png", "text"),
        ("application/xhtml+xml", "x", "text"),
        ("application/zip", "x.txt", "none"),
        ("binary/octet-stream", "a/b.CSV", "csv"),
        ("application/octet-stream", "x.py", "text"),
        ("binary/octet-stream", "txt", "text"),
        ("binary/octet-stream", "x.png", "none"),
        ("nonsense", "x.json", "json"),
        ("", "x", "none"),
    ],
)
def test_the_type_decides_and_the_name_only_where_it_says_nothing(content_type: str, key: str, kind: str) -> None:
    assert kind_of(version(content_type, key)) == kind


def test_what_is_compressed_or_too_large_has_none() -> None:
    assert kind_of(version("text/plain", content_encoding="gzip")) == "none"
    assert kind_of(version("image/png", content_encoding="gzip")) == "image"
    assert kind_of(version("application/pdf", size_bytes=MAX_PDF_BYTES)) == "pdf"
    assert kind_of(version("application/pdf", size_bytes=MAX_PDF_BYTES + 1)) == "none"


def test_json_has_a_line_for_each_member_and_keeps_its_numbers() -> None:
    text = b'{"a":[1.50,{"b":[]}],"c":"x, \\"y\\": {","big":123456789012345678901234567890,"d":{}}'
    assert (
        shown("json", text).text
        == """{
  "a": [
    1.50,
    {
      "b": []
    }
  ],
  "c": "x, \\"y\\": {",
  "big": 123456789012345678901234567890,
  "d": {}
}"""
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_pretty_json_says_the_same(document: object) -> None:
    assert json.loads(shown("json", json.dumps(document).encode()).text) == document


@pytest.mark.parametrize("data", [b"{", b"[" * 5000, b"not json", b'{"a":'])
def test_what_is_no_json_is_shown_as_it_is(data: bytes) -> None:
    assert shown("json", data).text == data.decode()


def test_deep_json_stays_small() -> None:
    deep = b"[" * 900 + b"1," * 20_000 + b"1" + b"]" * 900
    assert len(shown("json", deep).text) <= 2 * READ_BYTES


def test_text_of_any_bytes() -> None:
    assert shown("text", b"caf\xe9\x00!").text == "caf\ufffd\ufffd!"
    assert shown("text", b"\xef\xbb\xbfwith a mark").text == "with a mark"
    assert shown("text", b"begins", 1000).is_cut
    assert shown("json", b'{"a": ', 1000) == Preview("text", '{"a": ', is_cut=True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_by_whichever_delimiter(delimiter: str) -> None:
    text = f'a{delimiter}b\r\n"1\n2"{delimiter}"x {delimiter} ""y"""\r\n'.encode()
    assert shown("csv", text).rows == (("a", "b"), ("1\n2", f'x {delimiter} "y"'))


def test_a_table_has_a_head_and_200_rows() -> None:
    whole = b"n\n" + b"".join(b"%d\n" % number for number in range(MAX_ROWS))
    assert (len(shown("csv", whole).rows), shown("csv", whole).is_cut) == (MAX_ROWS + 1, False)
    more = shown("csv", whole + b"one more\n")
    assert (len(more.rows), more.rows[-1], more.is_cut) == (MAX_ROWS + 1, ("199",), True)


def test_a_row_that_was_cut_is_left_out() -> None:
    assert shown("csv", b"a,b\n1,2\n3,", 1000) == Preview("csv", rows=(("a", "b"), ("1", "2")), is_cut=True)


@given(st.binary(max_size=300), st.sampled_from(["csv", "json", "text"]), st.booleans())
def test_no_bytes_are_a_fault(data: bytes, kind: str, is_cut: bool) -> None:
    assert shown(kind, data, len(data) + is_cut).is_cut >= is_cut
