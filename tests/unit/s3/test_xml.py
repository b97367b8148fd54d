"""XML out, for any parser; XML in, from anybody."""

from __future__ import annotations

from urllib.parse import unquote_plus
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.s3 import xml
from elasticlake.s3.errors import S3Error

# What XML 1.0 can say at all (section 2.2).
printable = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
characters = printable | st.sampled_from("\t\n\r")


@given(st.text(characters))
def test_text_comes_back_as_it_was(text: str) -> None:
    parsed = ElementTree.fromstring(xml.document("Root", [xml.element("Key", text)]))
    assert (parsed.findtext(f"{{{xml.NAMESPACE}}}Key") or "") == text


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_an_error_document_is_always_parsed(text: str) -> None:
    """Otherwise botocore would raise a parser's error instead of the one that S3 gave."""
    body = xml.error_document("NoSuchKey", text, text, "ID", {"Key": text})
    assert ElementTree.fromstring(body).findtext("Code") == "NoSuchKey"


def test_the_parts_of_an_error_document() -> None:
    parsed = ElementTree.fromstring(xml.error_document("NoSuchKey", "No <key>", "/b/a&b", "ID", {"Key": "a&b"}))
    assert [(child.tag, child.text) for child in parsed] == [
        ("Code", "NoSuchKey"),
        ("Message", "No <key>"),
        ("Key", "a&b"),
        ("Resource", "/b/a&b"),
        ("RequestId", "ID"),
        ("HostId", "ID"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("<&>\"'", "<A>&lt;&amp;&gt;&quot;'</A>"), (True, "<A>true</A>"), (0, "<A>0</A>"), ("", "<A></A>"), (None, "")],
)
def test_elements(value: str | int | None, expected: str) -> None:
    assert xml.element("A", value) == expected


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_url_encoded_keys_come_back_as_they_were(key: str) -> None:
    encoded = xml.encoded(key.encode(), "url")
    assert encoded.isascii()
    assert unquote_plus(encoded) == key
    assert xml.encoded(key.encode(), None) == key


@pytest.mark.parametrize(
    "body",
    [
        b"<Root><A>1</A></Root>",
        b'<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>1</A></Root>',
        b'<p:Root xmlns:p="urn:other"><p:A>1</p:A></p:Root>',
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Root><!-- why --><A>1</A></Root>',
        '<?xml version="1.0" encoding="UTF-16"?><Root><A>1</A></Root>'.encode("utf-16"),
    ],
)
def test_documents_of_any_namespace(body: bytes) -> None:
    assert xml.parse(body, "Root").findtext("A") == "1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        b"<Root>",
        b"<Other/>",
        b"<Root/><Root/>",
        b"<!DOCTYPE Root><Root/>",
        b'<!DOCTYPE Root [<!ENTITY a "b">]><Root>&a;</Root>',
        b'<!DOCTYPE Root SYSTEM "http://127.0.0.1:1/x.dtd"><Root/>',
        b"<Root>&undefined;</Root>",
        b"<Root>\x01</Root>",
        b"<Root>&#1;</Root>",
        b"<Root>" + b"<a>" * 1000 + b"</a>" * 1000 + b"</Root>",
    ],
)
def test_documents_that_are_refused(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        xml.parse(body, "Root")
    assert caught.value.code == "MalformedXML"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_where_another_document_is_wanted(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        xml.parse(body, "RootOfAnotherKind")
    assert caught.value.code == "MalformedXML"


@pytest.mark.parametrize("body", [b"<Root><A>sr<?x?>c</A></Root>", b"<Root><?x?></Root>"])
def test_refuses_processing_instructions(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        xml.parse(body, "Root")
    assert caught.value.code == "MalformedXML"


def test_the_text_of_a_child() -> None:
    tree = xml.parse(b"<Root><A>sr<!-- -->c</A><B/><C>a<b/></C><D> <b>x</b></D></Root>", "Root")
    assert [xml.text(tree, name) for name in ("A", "B", "None")] == ["src", "", None]
    for name in ("C", "D"):
        with pytest.raises(S3Error) as caught:
            xml.text(tree, name)
        assert caught.value.code == "MalformedXML"
