"""A TCP port for a server that leaves and comes back to it."""

import random
import socket
from pathlib import Path

LOCAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 10_000


def steady_port() -> int:
    """A free port of 127.0.0.1 outside the range that the kernel gives to outgoing connections.

    A port inside it can be taken while its server restarts; and a client that keeps trying to reach the absent
    server may be given the very port it dials, and then talks to itself.

    Raises:
        OSError: no port is free.
    """
    first_local = int(LOCAL_RANGE.read_text().split()[0])
    candidates = range(LOWEST, first_local) if first_local > LOWEST else range(LOWEST, 65_536)
    for port in random.SystemRandom().sample(candidates, k=min(100, len(candidates))):
        if is_free(port):
            return port
    raise OSError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
