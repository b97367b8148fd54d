"""The endpoints that a dispatcher has to bear: the bench's view of them."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import child, free_port, python, refused_port, wait_listening

SICK_WEBHOOKS = {"hanging": 10, "unresolved": 10, "dripping": 5, "refusing": 5, "closing": 5}
"""How many webhooks of each kind the promise names."""
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SickEndpoints:
    """Where they are: `ports` by kind."""

    ports: Mapping[str, int]

    def urls(self, kinds: Mapping[str, int]) -> list[str]:
        """So many endpoints of each kind."""
        return [self._url(kind, number) for kind, count in kinds.items() for number in range(count)]

    def _url(self, kind: str, number: int) -> str:
        if kind == "unresolved":
            # Each webhook has a name of its own: one name's lookups are shared.
            return f"https://endpoint-{number}.unanswered.invalid/webhook"
        return f"http://127.0.0.1:{self.ports[kind]}/webhook"

    def seen(self) -> dict[str, int]:
        """How many requests each kind that can be reached has seen so far."""
        with socket.create_connection(("127.0.0.1", self.ports["counts"]), TIMEOUT_SECONDS) as connection:
            told = b""
            while data := connection.recv(4096):
                told += data
        return {str(kind): int(count) for kind, count in json.loads(told).items()}


@contextmanager
def sick_endpoints(directory: Path) -> Iterator[SickEndpoints]:
    """All of them, for as long as the block runs."""
    ports = {kind: free_port() for kind in ("counts", "hanging", "dripping", "closing")}
    log = directory / "sick-receiver.log"
    command = python("-m", "bench.sick_receiver", *map(str, ports.values()))
    with child(command, log) as process, refused_port() as refusing:
        for port in ports.values():
            wait_listening(process, port, log)
        yield SickEndpoints({**ports, "refusing": refusing})
