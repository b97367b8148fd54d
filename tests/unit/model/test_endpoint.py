"""How a webhook's URL is read: one way, or not at all."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.model.endpoint import Endpoint, EndpointRefused, is_localhost, literal_address, parse_endpoint


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://myapp.com/webhooks/storage", Endpoint("https", "myapp.com", 443)),
        ("HTTP://MyApp.com", Endpoint("http", "myapp.com", 80)),
        ("https://a_service:8443?token=x@y:z", Endpoint("https", "a_service", 8443)),
        ("https://[2606:4700::1111]:444/", Endpoint("https", "2606:4700::1111", 444)),
        ("https://myapp.com.:443/", Endpoint("https", "myapp.com.", 443)),
        ("https://xn--bcher-kva.example/%C3%A9", Endpoint("https", "xn--bcher-kva.example", 443)),
        ("https://myapp.com:/", Endpoint("https", "myapp.com", 443)),
    ],
)
def test_an_absolute_url_has_scheme_host_and_port(url, endpoint):
    assert parse_endpoint(url) == endpoint


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "absolute https:// URL"),
        ("myapp.com/hook", "absolute https:// URL"),
        ("//myapp.com/hook", "absolute https:// URL"),
        ("ftp://myapp.com/", "absolute https:// URL"),
        ("file:///etc/passwd", "absolute https:// URL"),
        ("https:myapp.com", "absolute https:// URL"),
        ("https:///hook", "no host"),
        ("https://:443/", "no host"),
        ("https://user@myapp.com/", "user name"),
        ("https://user:password@myapp.com/", "user name"),
        ("https://myapp.com#@10.0.0.1/", "fragment"),
        ("https://myapp.com/#", "fragment"),
        ("https://myapp.com:0/", "port 0"),
        ("https://myapp.com:65536/", "port 65536"),
        ("https://myapp.com:+80/", "malformed"),
        ("https://myapp.com:80:80/", "malformed"),
        ("https://my%61pp.com/", "malformed"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://[127.0.0.1", "malformed"),
        ("https://my..app/", "valid name"),
        ("https://-myapp/", "valid name"),
        ("https://" + "a" * 64 + ".com/", "valid name"),
        ("https://" + "a." * 130 + "com/", "valid name"),
        ("https://myapp.com\\@10.0.0.1/", "backslash"),
        ("https://myapp.com/a b", "space"),
        ("https://myapp.com/\r\nX: y", "space"),
        ("https://１２７.0.0.1/", "non-ASCII"),
        ("https://myapp.com/\ud800", "non-ASCII"),
        ("https://myapp.com/" + "a" * 2048, "2048"),
    ],
)
def test_anything_else_is_refused_with_its_reason(url, reason):
    with pytest.raises(EndpointRefused, match=reason):
        parse_endpoint(url)


def test_a_refusal_repeats_neither_password_nor_path():
    with pytest.raises(EndpointRefused) as refused:
        parse_endpoint("https://user:password@myapp.com/s3cret?token=t0ken")
    assert not any(secret in str(refused.value) for secret in ("password@", "s3cret", "t0ken"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.1.", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"), ("0x7f000001", "127.0.0.1"), ("127.1", "127.0.0.1"), ("10.0x10203", "10.1.2.3"),
        ("0", "0.0.0.0"), ("0x", "0.0.0.0"), ("::ffff:127.0.0.1", "::ffff:127.0.0.1"), ("2606:4700::1", "2606:4700::1"),
    ],
)  # fmt: skip
def test_every_spelling_of_an_address_is_read(host, address):
    assert literal_address(host) == ip_address(address)


@pytest.mark.parametrize(
    "host", ["1.2.3.4.5", "256.1.1.1", "1.2.3.256", "4294967296", "08.1.1.1", "a.1", "1..1", ":::", "1:2"]
)
def test_a_malformed_address_is_no_name_either(host):
    with pytest.raises(EndpointRefused):
        literal_address(host)


@pytest.mark.parametrize("host", ["localhost", "myapp.com", "1.com", "0x7f.com", "10-0-0-1", "xn--80ak6aa92e.com"])
def test_a_name_is_no_address(host):
    assert literal_address(host) is None


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=4), st.sampled_from([str, hex, lambda n: f"0{n:o}"]))
def test_numeric_hosts_mean_what_the_c_library_takes_them_for(numbers, spell):
    host = ".".join(spell(number) for number in numbers)
    try:
        expected = ip_address(socket.inet_aton(host))
    except OSError:
        with pytest.raises(EndpointRefused):
            literal_address(host)
    else:
        assert literal_address(host) == expected


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        endpoint = parse_endpoint("https://" + text)
    except EndpointRefused:
        return
    assert endpoint.host
    assert 1 <= endpoint.port <= 65535


def test_localhost_names():
    assert all(map(is_localhost, ["localhost", "LOCALHOST.", "app.localhost", "a.b.localhost."]))
    assert not any(map(is_localhost, ["localhost.com", "mylocalhost", "local", ""]))
