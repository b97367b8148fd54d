"""Where webhooks may call, and what a refusal tells."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.model.egress import LOCAL_EXAMPLE, EgressPolicy
from elasticlake.model.endpoint import EndpointRefused

PRODUCTION = EgressPolicy(own_ports=frozenset({9000}))
DEVELOPER = EgressPolicy(developer=True, own_ports=frozenset({9000}))


def allowing(*networks: str, **rest: bool) -> EgressPolicy:
    return EgressPolicy(allow=tuple(map(ip_network, networks)), own_ports=frozenset({9000}), **rest)


def refusal(policy: EgressPolicy, url: str) -> str:
    with pytest.raises(EndpointRefused) as refused:
        policy.check_endpoint(url)
    return str(refused.value)


@pytest.mark.parametrize("policy", [PRODUCTION, DEVELOPER])
@pytest.mark.parametrize(
    "url", ["https://myapp.com/hook", "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://myapp.com:9000/"]
)
def test_https_to_public_endpoints_is_allowed(policy, url):
    policy.check_endpoint(url)


def test_a_refusal_names_the_address_the_standard_and_the_way_out():
    text = refusal(PRODUCTION, "http://169.254.169.254/latest/meta-data/")
    assert text.startswith("169.254.169.254 is a link-local address")
    assert "RFC 3927" in text
    assert text.endswith("allow it with --egress-allow 169.254.169.254/32")


@pytest.mark.parametrize("policy", [PRODUCTION, DEVELOPER])
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "10.0.0.1", "192.168.1.1",
        "172.16.0.1", "0.0.0.0", "[::]", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]",
        "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::8.8.8.8]", "[2002:a9fe:a9fe::]", "[2002:808:808::]", "[2001:0:a9fe:a9fe::]", "[::8.8.8.8]",
        "[fc00::1]", "[ff02::1]",
        "[::ffff:0:127.0.0.1]", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.16689662", "169.254.169.254.",
    ],
)  # fmt: skip
def test_no_spelling_of_a_special_address_gets_by(policy, host):
    assert "--egress-allow" in refusal(policy, f"https://{host}/")


def test_nat64_is_judged_by_the_address_inside():
    PRODUCTION.check_endpoint("https://[64:ff9b::8.8.8.8]/")
    assert "leads to 10.0.0.1, a private address (RFC 1918)" in refusal(PRODUCTION, "https://[64:ff9b::10.0.0.1]/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost", "app.localhost", "localhost."]
)
def test_loopback_is_a_developers_alone(host):
    for scheme in ("http", "https"):
        DEVELOPER.check_endpoint(f"{scheme}://{host}:8000/hook")
        assert "loopback address" in refusal(PRODUCTION, f"{scheme}://{host}:8000/hook")


@pytest.mark.parametrize("policy", [PRODUCTION, DEVELOPER, allowing("0.0.0.0/0", "::/0", allow_http=True)])
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0", "[::]"]
)
def test_our_own_port_is_never_an_endpoint(policy, host):
    assert "this server itself" in refusal(policy, f"https://{host}:9000/")


def test_plain_http_needs_the_operators_word():
    for policy in (PRODUCTION, DEVELOPER, allowing("10.0.0.0/8")):
        assert "--egress-http" in refusal(policy, "http://myapp.com/hook")
        assert "--egress-http" in refusal(policy, "http://8.8.8.8/hook")
    assert "--egress-http" in refusal(allowing("10.0.0.0/8"), "http://10.1.2.3/")
    open_policy = EgressPolicy(allow_http=True)
    open_policy.check_endpoint("http://myapp.com/hook")
    open_policy.check_endpoint("http://8.8.8.8/hook")
    assert "private address" in refusal(open_policy, "http://10.0.0.1/")


@pytest.mark.parametrize("url", ["http://myapp.com/hook", "http://8.8.8.8/hook", "localhost:5000/hook", "ftp://x/"])
def test_a_developer_is_told_of_this_machine(url):
    assert LOCAL_EXAMPLE in refusal(DEVELOPER, url)
    assert "localhost" not in refusal(PRODUCTION, url)
    DEVELOPER.check_endpoint(LOCAL_EXAMPLE)


def test_an_allowed_network_wins_also_in_its_mapped_form():
    policy = allowing("10.0.0.0/8", "127.0.0.1/32", "fd00::/8", "::1/128")
    for host in ("10.1.2.3", "[::ffff:10.1.2.3]", "127.0.0.1", "[fd00::1]", "localhost"):
        policy.check_endpoint(f"https://{host}/")
    for host in ("192.168.1.1", "127.0.0.2", "[::ffff:192.168.1.1]"):
        refusal(policy, f"https://{host}/")


def test_an_allowed_ipv4_network_does_not_open_a_gateway_to_it():
    policy = allowing("10.0.0.0/8")
    refusal(policy, "https://[64:ff9b::10.0.0.1]/")
    refusal(policy, "https://[2002:a00:1::]/")
    allowing("64:ff9b::/96").check_endpoint("https://[64:ff9b::10.0.0.1]/")


def test_localhost_may_be_allowed_in_either_family():
    allowing("::1/128").check_endpoint("https://localhost/")
    allowing("127.0.0.0/8").check_endpoint("https://localhost/")


def test_an_address_that_no_http_client_would_dial_as_written_is_refused_with_its_plain_form():
    assert refusal(PRODUCTION, "https://134744072/") == "write 134744072 as 8.8.8.8"
    assert refusal(DEVELOPER, "http://2130706433:8000/") == "write 2130706433 as 127.0.0.1"


def test_what_is_dialled_is_judged_by_scheme_too():
    DEVELOPER.check_address("127.0.0.1", 8000, "http")
    PRODUCTION.check_address("8.8.8.8", 443, "https")
    for ip, scheme in [("8.8.8.8", "http"), ("10.0.0.1", "http"), ("10.0.0.1", "https")]:
        with pytest.raises(EndpointRefused):
            DEVELOPER.check_address(ip, 8000, scheme)


def test_an_address_with_a_zone_is_refused_even_if_allowed():
    with pytest.raises(EndpointRefused, match="zone"):
        allowing("fe80::/10").check_address("fe80::1%eth0", 443, "https")


@given(st.ip_addresses())
def test_production_dials_only_what_python_too_calls_global(address):
    try:
        PRODUCTION.check_address(str(address), 443, "https")
    except EndpointRefused:
        return
    assert address.is_global
    assert not address.is_multicast
