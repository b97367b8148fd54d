"""The table of special address blocks."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.model.special_networks import SPECIAL_NETWORKS, find_special


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("0.0.0.0", "RFC 1122"),
        ("0.1.2.3", "RFC 791"),
        ("10.255.255.255", "RFC 1918"),
        ("100.64.0.1", "RFC 6598"),
        ("100.127.255.255", "RFC 6598"),
        ("100.100.100.200", "Alibaba Cloud"),
        ("168.63.129.16", "Azure"),
        ("169.254.1.1", "RFC 3927"),
        ("172.31.255.255", "RFC 1918"),
        ("192.88.99.2", "RFC 6751"),
        ("198.19.0.1", "RFC 2544"),
        ("239.255.255.250", "RFC 5771"),
        ("255.255.255.255", "RFC 8190, RFC 919"),
        ("::", "RFC 4291"),
        ("::1", "RFC 4291"),
        ("2001::1", "RFC 4380, RFC 8190"),
        ("2001:db8::1", "RFC 3849"),
        ("2002:a00:1::", "RFC 3056"),
        ("3fff::1", "RFC 9637"),
        ("4000::1", "RFC 4291"),
        ("fd00:ec2::254", "AWS"),
        ("fd00::1", "RFC 4193, RFC 8190"),
        ("fe80::1", "RFC 4291"),
        ("ff02::1", "RFC 4291"),
    ],
)
def test_the_narrowest_block_names_its_standard(address, source):
    special = find_special(ip_address(address))
    assert special is not None
    assert special.source == source


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.169.0.1", "223.255.255.255",
     "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "3ffe::1"],
)  # fmt: skip
def test_public_addresses_are_not_special(address):
    assert find_special(ip_address(address)) is None


@given(st.ip_addresses())
def test_whatever_python_calls_private_or_multicast_is_special(address):
    if not address.is_global or address.is_multicast:
        assert find_special(address) is not None


@given(st.ip_addresses(v=6).filter(lambda address: address not in ip_network("2000::/3")))
def test_nothing_outside_global_unicast_is_ordinary(address):
    assert find_special(address) is not None


def test_no_block_is_listed_twice():
    assert len({special.network for special in SPECIAL_NETWORKS}) == len(SPECIAL_NETWORKS)
