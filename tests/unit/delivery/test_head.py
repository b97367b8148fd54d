"""The first lines of a request: where it goes, as its URL has it."""

from __future__ import annotations

import pytest

from elasticlake.delivery.head import head_of

STANDING = (("User-Agent", "us"),)


@pytest.mark.parametrize(
    ("url", "asked_for", "host"),
    [
        ("https://myapp.test/hook", "/hook", "myapp.test"),
        ("https://myapp.test", "/", "myapp.test"),
        ("https://myapp.test?a=b", "/?a=b", "myapp.test"),
        ("https://myapp.test/?", "/", "myapp.test"),
        ("https://myapp.test/a?b?c=/d", "/a?b?c=/d", "myapp.test"),
        ("https://myapp.test/a//b/../%7e%2F{x};d=%zz", "/a//b/../%7e%2F{x};d=%zz", "myapp.test"),
        ("https://myapp.test:443/", "/", "myapp.test"),
        ("http://myapp.test:80/", "/", "myapp.test"),
        ("https://myapp.test:80/", "/", "myapp.test:80"),
        ("HTTPS://MyApp.test.:8443/A", "/A", "MyApp.test:8443"),
        ("http://[::1]:8080/", "/", "[::1]:8080"),
        ("https://[2001:DB8::1]/", "/", "[2001:DB8::1]"),
    ],
)
def test_path_query_and_host_are_the_urls(url, asked_for, host):
    lines = head_of(url, STANDING).lines
    assert lines == f"POST {asked_for} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: us\r\n".encode()


def test_a_request_says_its_length_and_whether_it_is_the_last():
    head = head_of("https://myapp.test/", ())
    opening = "POST / HTTP/1.1\r\nHost: myapp.test\r\nX-A: é\r\nContent-Length: 7\r\n"
    assert head.request((("X-A", "é"),), 7, keep=True) == f"{opening}\r\n".encode()
    assert head.request((("X-A", "é"),), 7, keep=False) == f"{opening}Connection: close\r\n\r\n".encode()


@pytest.mark.parametrize("value", ["a\r\nX-B: b", "a\nb", "a\rb", "a\0b"])
def test_a_header_is_one_line(value):
    with pytest.raises(ValueError, match="control character"):
        head_of("https://myapp.test/", ()).request((("X-A", value),), 0, keep=True)
