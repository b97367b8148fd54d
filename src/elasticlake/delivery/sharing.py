"""Which dispatcher a webhook belongs to: rendezvous hashing, so that a node that comes or goes moves only its share.

Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996). Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dispatcher does about the webhooks: take those, give those back, and whether some are still another's."""

    claims: frozenset[str]
    releases: frozenset[str]
    is_waiting: bool


def chosen(webhook_id: str, epochs: Collection[int]) -> int:
    """The dispatcher among `epochs` that the webhook belongs to."""
    return max(epochs, key=lambda epoch: hashlib.blake2b(f"{epoch}/{webhook_id}".encode(), digest_size=8).digest())


def plan(
    webhook_ids: Iterable[str], owners: Mapping[str, int], living: Collection[int], own: int, held: Collection[str]
) -> Plan:
    """What the dispatcher of epoch `own`, one of the `living`, has to do, that knows of the webhooks that it `held`."""
    claims, releases, is_waiting = set[str](), set[str](), False
    for webhook_id in webhook_ids:
        owner = owners.get(webhook_id)
        if chosen(webhook_id, living) == own:
            if owner == own and webhook_id in held:
                continue
            if owner != own and owner in living:
                is_waiting = True
            else:
                claims.add(webhook_id)
        elif owner == own:
            releases.add(webhook_id)
    return Plan(frozenset(claims), frozenset(releases), is_waiting)
