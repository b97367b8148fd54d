"""A receiver's share of a guard: what one receiver has handled, another of the same event has not."""

from __future__ import annotations

from weakref import WeakSet

from elasticlake.webhooks.guards.guard import Claim, Guard


class Share:
    """The guard, for events as the receiver of this name knows them: it claims `name/id`, and without a name `id`.

    Raises ValueError while another receiver of this process has the guard under the same name, and for a name with a
    slash in it.
    """

    guard: Guard
    name: str

    def __init__(self, guard: Guard, name: str = "") -> None:
        if "/" in name:
            raise ValueError(f"The receiver's name {name!r} must have no slash.")
        if any(share.guard is guard and share.name == name for share in _shares):
            raise ValueError(
                f"Another receiver has this guard under the name {name!r}: each would take the other's events for"
                " handled. Give each receiver a name of its own, or a guard."
            )
        self.guard = guard
        self.name = name
        _shares.add(self)

    def begin(self, event_id: str) -> Claim | None:
        """As `Guard.begin`."""
        return self.guard.begin(f"{self.name}/{event_id}" if self.name else event_id)

    def complete(self, claim: Claim) -> None:
        """As `Guard.complete`."""
        self.guard.complete(claim)

    def release(self, claim: Claim) -> None:
        """As `Guard.release`."""
        self.guard.release(claim)


_shares: WeakSet[Share] = WeakSet()
"""Of all receivers that there are."""
