"""S3's XML, written by hand (a listing is a thousand of the same few elements) and read by lxml with everything off."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_from_bytes

from lxml import etree

from elasticlake.s3.errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPECIAL = re.compile('[&<>"\x00-\x1f\x7f]')
# All that XML 1.0 has no way to write, not even as a reference (section 2.2).
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REPLACEMENTS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """`text` as element content. Control characters become references, as S3 writes them."""
    return _SPECIAL.sub(lambda found: _REPLACEMENTS.get(found[0]) or f"&#x{ord(found[0]):x};", text)


def element(name: str, value: str | int | bool | None) -> str:
    """`<name>value</name>`; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value))}</{name}>"


def wrap(name: str, content: Iterable[str]) -> str:
    """An element around ready-made content."""
    return f"<{name}>{''.join(content)}</{name}>"


def document(name: str, content: Iterable[str]) -> bytes:
    """A whole document in S3's namespace."""
    return f'{_DECLARATION}<{name} xmlns="{NAMESPACE}">{"".join(content)}</{name}>'.encode()


def error_document(code: str, message: str, resource: str, request_id: str, details: dict[str, str]) -> bytes:
    """S3's error document, which has no namespace.

    It is parsed whatever the key: a character that XML 1.0 cannot say becomes U+FFFD, so that the client hears of the
    error and not of its parser's.
    """
    told = {"Code": code, "Message": message, **details, "Resource": resource, "RequestId": request_id}
    told["HostId"] = request_id
    content = [element(name, _UNSAYABLE.sub("\ufffd", value)) for name, value in told.items()]
    return f"{_DECLARATION}<Error>{''.join(content)}</Error>".encode()


def grantee(canonical_id: str, display_name: str) -> str:
    """The owner in an access control list."""
    attributes = f'xmlns:xsi="{_XSI}" xsi:type="CanonicalUser"'
    return f"<Grantee {attributes}>{element('ID', canonical_id)}{element('DisplayName', display_name)}</Grantee>"


def group_grantee(uri: str) -> str:
    """A predefined group in an access control list."""
    return f'<Grantee xmlns:xsi="{_XSI}" xsi:type="Group">{element("URI", uri)}</Grantee>'


def encoded(key: bytes, encoding_type: str | None) -> str:
    """A key or prefix as a listing shows it: text, or URL-encoded if the client asked for that."""
    return quote_from_bytes(key, safe="/-_.~*") if encoding_type == "url" else key.decode()


def parse(body: bytes, root: str) -> Any:
    """The root element, namespaces stripped; raises `S3Error` MalformedXML. No entities, no DTD, no network."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        tree = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise S3Error("MalformedXML") from None
    if tree.getroottree().docinfo.doctype:
        raise S3Error("MalformedXML")
    for node in tree.iter():
        if not isinstance(node.tag, str):
            # A processing instruction: text around it would be read in part, and a wrong key be deleted.
            raise S3Error("MalformedXML")
        node.tag = etree.QName(node).localname
    if tree.tag != root:
        raise S3Error("MalformedXML")
    return tree


def text(node: Any, name: str) -> str | None:
    """The text of the child of that name, None if there is none; raises `S3Error` MalformedXML if there is more in it
    than text."""
    child = node.find(name)
    if child is None:
        return None
    if len(child):
        raise S3Error("MalformedXML")
    return child.text or ""
