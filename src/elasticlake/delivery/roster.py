"""Who listens where: the webhooks as last loaded, and which of them match a bucket."""

from __future__ import annotations

from collections.abc import Callable

from elasticlake.metadata import webhooks
from elasticlake.metadata.database import Reader
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.webhooks import Webhook
from elasticlake.service.sealing import unseal


class Roster:
    """The enabled webhooks, by place. Matching a bucket costs the webhooks that match (I10)."""

    def __init__(self, decrypt: Callable[[bytes], str]) -> None:
        self._decrypt = decrypt
        self._version = -1
        self._by_id: dict[str, Webhook] = {}
        self._by_place: dict[tuple[str, int], list[Webhook]] = {}
        self._ids: frozenset[str] = frozenset()
        self._ids_version = -1

    @property
    def webhooks(self) -> list[Webhook]:
        """Every webhook, disabled ones included."""
        return list(self._by_id.values())

    def get(self, webhook_id: str) -> Webhook | None:
        return self._by_id.get(webhook_id)

    def read(self, reader: Reader, webhook_id: str) -> Webhook | None:
        """The webhook as it is at this moment, which may be later than the rest was loaded."""
        stored = webhooks.get(reader, webhook_id)
        return None if stored is None else unseal(self._decrypt, stored)

    def refresh(self, reader: Reader) -> bool:
        """Load the definitions anew if any has changed; whether one had."""
        version = webhooks.version(reader)
        if version == self._version:
            return False
        known = [unseal(self._decrypt, stored) for stored in webhooks.all_webhooks(reader)]
        self._version = version
        self._by_id = {webhook.id: webhook for webhook in known}
        self._by_place = {}
        for webhook in known:
            if webhook.status == "enabled":
                self._by_place.setdefault((webhook.scope.kind, webhook.scope.id), []).append(webhook)
        return True

    def distrust(self) -> None:
        """Load everything at the next `refresh`, whatever the version: after an older database took over, the same one
        may say something else."""
        self._version = -1

    @property
    def ids(self) -> frozenset[str]:
        """Every webhook's id as of `refresh_ids`."""
        return self._ids

    def refresh_ids(self, reader: Reader) -> None:
        """Look which webhooks there are, without their definitions: they are shared before they are loaded."""
        version = webhooks.version(reader)
        if version != self._ids_version:
            self._ids, self._ids_version = frozenset(webhooks.ids(reader)), version

    def matching(self, place: BucketPlace) -> list[Webhook]:
        """The enabled webhooks that listen to the bucket: a pond's or lake's only if its account owns the bucket."""
        by_place = self._by_place
        found = by_place.get(("bucket", place.id), [])
        wider = by_place.get(("pond", place.pond_id), []) + by_place.get(("lake", place.lake_id), [])
        return found + [webhook for webhook in wider if webhook.account_id == place.account_id]

    @property
    def is_empty(self) -> bool:
        return not self._by_place
