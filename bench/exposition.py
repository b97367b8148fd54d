"""The numbers in a server's metrics (Prometheus's text format)."""

import threading
from contextlib import suppress
from typing import Self

from bench.control import Api, ApiFailed

SAMPLE_SECONDS = 1.0
OPEN_BREAKER = "elasticlake_webhook_breaker_open"
OPEN_BREAKERS = "elasticlake_breakers_open"
IN_FLIGHT = "elasticlake_deliveries_in_flight"
RESIDENT = "elasticlake_process_resident_bytes"


def samples(text: str, name: str) -> dict[str, float]:
    """One metric's values by what stands in its braces, such as `process="dispatcher"`."""
    found = {}
    for line in text.splitlines():
        sample, _, value = line.rpartition(" ")
        if sample == name or sample.startswith(f"{name}{{"):
            found[sample[len(name) + 1 : -1]] = float(value)
    return found


def total(text: str, name: str) -> int:
    """One metric's values together."""
    return round(sum(samples(text, name).values()))


def dispatcher_bytes(api: Api) -> float:
    """The dispatcher's resident memory, as it told last."""
    return samples(api.metrics(), RESIDENT).get('process="dispatcher"', 0.0)


class DispatcherMemory:
    """Looks at the dispatcher's memory every second in a thread, as a context manager; `most_bytes` is the most."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most_bytes = 0.0

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        with suppress(ApiFailed):  # a server too busy to answer is measured a second later
            self.most_bytes = max(self.most_bytes, dispatcher_bytes(self._api))
