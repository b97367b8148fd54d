"""The address blocks that are not the public internet, each with what it is and the standard that says so.

Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries, whole, including the blocks that they call globally
reachable (anycast services and sinks: none of them is anybody's endpoint); then multicast, deprecated blocks and the
addresses at which clouds serve their machines' credentials.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class SpecialNetwork:
    """A block; `name` is a phrase that follows "is", `source` the standard or the owner."""

    network: Network
    name: str
    source: str


def find_special(address: Address) -> SpecialNetwork | None:
    """The narrowest special block that holds `address`, or None if it is an ordinary public unicast address."""
    holding = [special for special in SPECIAL_NETWORKS if address in special.network]
    return max(holding, key=lambda special: special.network.prefixlen, default=None)


_TABLE = """
    0.0.0.0/8           | an address of "this network"                     | RFC 791
    0.0.0.0/32          | the unspecified address                          | RFC 1122
    10.0.0.0/8          | a private address                                | RFC 1918
    100.64.0.0/10       | a carrier-grade NAT address                      | RFC 6598
    100.100.100.200/32  | a cloud metadata address                         | Alibaba Cloud
    127.0.0.0/8         | a loopback address                               | RFC 1122
    168.63.129.16/32    | a cloud metadata address                         | Azure
    169.254.0.0/16      | a link-local address                             | RFC 3927
    169.254.169.254/32  | a link-local address, the clouds' metadata service | RFC 3927
    172.16.0.0/12       | a private address                                | RFC 1918
    192.0.0.0/24        | an IETF protocol assignment                      | RFC 6890
    192.0.0.0/29        | an IPv4 service continuity address               | RFC 7335
    192.0.0.8/32        | the IPv4 dummy address                           | RFC 7600
    192.0.0.9/32        | the Port Control Protocol anycast address        | RFC 7723
    192.0.0.10/32       | the TURN anycast address                         | RFC 8155
    192.0.0.170/31      | a NAT64/DNS64 discovery address                  | RFC 7050, RFC 8880
    192.0.0.192/32      | a cloud metadata address                         | Oracle Cloud
    192.0.2.0/24        | a documentation address                          | RFC 5737
    192.31.196.0/24     | an AS112 address                                 | RFC 7535
    192.52.193.0/24     | an AMT relay address                             | RFC 7450
    192.88.99.0/24      | a deprecated 6to4 relay address                  | RFC 7526
    192.88.99.2/32      | the 6a44 relay anycast address                   | RFC 6751
    192.168.0.0/16      | a private address                                | RFC 1918
    192.175.48.0/24     | an AS112 address                                 | RFC 7534
    198.18.0.0/15       | a benchmarking address                           | RFC 2544
    198.51.100.0/24     | a documentation address                          | RFC 5737
    203.0.113.0/24      | a documentation address                          | RFC 5737
    224.0.0.0/4         | a multicast address                              | RFC 5771
    240.0.0.0/4         | a reserved address                               | RFC 1112
    255.255.255.255/32  | the limited broadcast address                    | RFC 8190, RFC 919
    ::/3                | outside the global unicast space                 | RFC 4291
    ::/96               | an IPv4-compatible address                       | RFC 4291
    ::/128              | the unspecified address                          | RFC 4291
    ::1/128             | a loopback address                               | RFC 4291
    ::ffff:0:0/96       | an IPv4-mapped address                           | RFC 4291
    ::ffff:0:0:0/96     | an IPv4-translated address                       | RFC 2765
    64:ff9b::/96        | a NAT64 address                                  | RFC 6052
    64:ff9b:1::/48      | a local-use NAT64 address                        | RFC 8215
    100::/64            | a discard-only address                           | RFC 6666
    100:0:0:1::/64      | a dummy address                                  | RFC 9780
    2001::/23           | an IETF protocol assignment                      | RFC 2928
    2001::/32           | a Teredo address                                 | RFC 4380, RFC 8190
    2001:1::1/128       | the Port Control Protocol anycast address        | RFC 7723
    2001:1::2/128       | the TURN anycast address                         | RFC 8155
    2001:1::3/128       | the DNS-SD registration anycast address          | RFC 9665
    2001:2::/48         | a benchmarking address                           | RFC 5180
    2001:3::/32         | an AMT relay address                             | RFC 7450
    2001:4:112::/48     | an AS112 address                                 | RFC 7535
    2001:10::/28        | a deprecated ORCHID                              | RFC 4843
    2001:20::/28        | an ORCHIDv2                                      | RFC 7343
    2001:30::/28        | a drone remote identification tag                | RFC 9374
    2001:db8::/32       | a documentation address                          | RFC 3849
    2002::/16           | a 6to4 address                                   | RFC 3056
    2620:4f:8000::/48   | an AS112 address                                 | RFC 7534
    3fff::/20           | a documentation address                          | RFC 9637
    4000::/2            | outside the global unicast space                 | RFC 4291
    5f00::/16           | a segment routing identifier                     | RFC 9602
    8000::/1            | outside the global unicast space                 | RFC 4291
    fc00::/7            | a unique local address                           | RFC 4193, RFC 8190
    fd00:ec2::254/128   | a cloud metadata address                         | AWS
    fd20:ce::254/128    | a cloud metadata address                         | Google Cloud
    fe80::/10           | a link-local address                             | RFC 4291
    fec0::/10           | a deprecated site-local address                  | RFC 3879
    ff00::/8            | a multicast address                              | RFC 4291
"""


def _row(line: str) -> SpecialNetwork:
    network, name, source = (cell.strip() for cell in line.split("|"))
    return SpecialNetwork(ip_network(network), name, source)


SPECIAL_NETWORKS: tuple[SpecialNetwork, ...] = tuple(_row(line) for line in _TABLE.strip().splitlines())
