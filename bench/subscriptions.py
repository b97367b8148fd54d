"""Many webhooks for as long as a shape needs them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.control import Api
from bench.exposition import OPEN_BREAKER, samples

OPENING_SECONDS = 60.0
"""For how long breakers are waited for: they open in a moment, the metrics tell of them every five seconds."""


@contextmanager
def subscribed(api: Api, wanted: Iterable[tuple[str, str]], **rules: Any) -> Iterator[list[str]]:
    """A webhook for each bucket and endpoint; their ids. Raises ApiFailed."""
    webhooks: list[str] = []
    try:
        for bucket, endpoint in wanted:
            webhooks.append(api.create_webhook(bucket, endpoint, **rules))
        yield webhooks
    finally:
        for webhook in webhooks:
            api.delete_webhook(webhook)


def set_all(api: Api, webhooks: Iterable[str], status: str) -> None:
    """Enable or disable them."""
    for webhook in webhooks:
        api.set_status(webhook, status)


def wait_until_open(api: Api, webhooks: Sequence[str]) -> int:
    """Wait until the breakers of all these webhooks are open; how many are when the time is up."""
    wanted, deadline = {f'webhook="{webhook}"' for webhook in webhooks}, time.monotonic() + OPENING_SECONDS
    while True:
        found = len(wanted & samples(api.metrics(), OPEN_BREAKER).keys())
        if found == len(webhooks) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def records_attempts(api: Api, webhook: str) -> bool:
    """Whether the history knows of a delivery to it."""
    return bool(api.call("GET", f"/v1/webhooks/{webhook}/deliveries?status=delivered&limit=1").get("items"))
