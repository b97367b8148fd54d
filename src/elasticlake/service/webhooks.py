"""Operations on webhooks: who is told of what, and from which moment on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from elasticlake import signing
from elasticlake.clock import Clock
from elasticlake.config.master_key import MasterKey
from elasticlake.errors import InvalidWebhook, NoSuchWebhook
from elasticlake.metadata import buckets, deliveries, webhooks
from elasticlake.metadata.database import Database, Reader, Transaction
from elasticlake.metadata.deliveries import RequestedDelivery
from elasticlake.metadata.webhooks import StoredWebhook
from elasticlake.model.accounts import Token
from elasticlake.model.activity import Action, Done
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import EndpointRefused
from elasticlake.model.ids import DeliveryId, new_webhook_id
from elasticlake.model.names import split_pond
from elasticlake.model.rotation import DEFAULT_OVERLAP_SECONDS, promoted, rotated, settled
from elasticlake.model.rules import Rules, require_rules
from elasticlake.model.webhooks import (
    DEFAULT_TIMEOUT_SECONDS,
    Sealed,
    Webhook,
    WebhookScope,
    default_on_dead,
    require_events,
    require_timeout,
)
from elasticlake.service.activity import note, note_after
from elasticlake.service.derived_webhooks import follow, require_underived
from elasticlake.service.hierarchy import visible_bucket, visible_lake, visible_pond
from elasticlake.service.object_links import may_link
from elasticlake.service.pages import Page, PageRequest, filtered_page
from elasticlake.service.permissions import covers_place, require, require_place
from elasticlake.service.reach import account_for, require_account
from elasticlake.service.sealing import seal, shown, unseal
from elasticlake.service.webhook_activity import changed_fields, done
from elasticlake.service.webhook_definitions import (
    NewWebhook,
    Place,
    WebhookChange,
    apply,
    require_agreement,
    require_name,
    require_one_place,
    require_schedule,
    require_sealed,
    require_secret,
    value_or,
)
from elasticlake.service.webhook_faults import faults_of
from elasticlake.service.webhook_standing import Standing, Standings
from elasticlake.service.where import require_where


class Webhooks:
    """The webhook operations. Definitions live in `core`; what their delivery has come to, in `delivery`.

    `wake` tells a dispatcher in this process that there is news; one elsewhere finds it by itself.
    """

    def __init__(
        self,
        core: Database,
        delivery: Database,
        master_key: MasterKey,
        policy: EgressPolicy,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._core = core
        self._delivery = delivery
        self._standings = Standings(core, delivery)
        self._master_key = master_key
        self._policy = policy
        self._clock = clock
        self._wake = wake

    async def create(self, token: Token, new: NewWebhook) -> tuple[Webhook, str | None]:
        """Make a webhook that sees what happens from now on; returns with it the secret, if one was generated.

        Raises `InvalidWebhook` that names the field, and `NoSuchBucket`, `NoSuchPond`, `NoSuchLake`, `NoSuchAccount`.
        """
        require_one_place(new.place)
        generated = signing.generate_secret() if new.secret is None else None
        secret = generated if generated is not None else require_secret(new.secret or "")
        now_ms = self._clock.now_ms()
        draft = Webhook(
            id=new_webhook_id(),
            account_id="",
            scope=WebhookScope("bucket", 0, ""),
            endpoint=self._require_endpoint(new.endpoint),
            events=require_events(list(new.events)),
            name=require_name(new.name),
            retry_schedule_seconds=require_schedule(new.retry_schedule_seconds),
            timeout_seconds=require_timeout(value_or(new.timeout_seconds, DEFAULT_TIMEOUT_SECONDS)),
            ordering=new.ordering,
            on_dead=new.on_dead or default_on_dead(new.ordering),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            rules=require_rules(Rules(**new.rules)),
            secret=secret,
            sealed=require_sealed(Sealed(), new.sealed),
        )
        require_agreement(draft)
        require_where(draft.rules.where)
        stored = seal(self._master_key.encrypt, draft)

        def mutation(tx: Transaction) -> StoredWebhook:
            made = _insert(tx, token, new, stored)
            note(tx, token.actor, now_ms, done("webhook:created", made.webhook))
            return made

        made = await self._core.write(mutation)
        self._wake()
        return self._shown(made), generated

    async def faults(self, token: Token, new: NewWebhook, webhook_id: str | None = None) -> dict[str, str]:
        """Everything that `create`, or `change` of the webhook of that id, would find wrong with the definition, by
        field. Raises `NoSuchWebhook`."""
        known = Sealed()
        if webhook_id is not None:
            stored = await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))
            known = unseal(self._master_key.decrypt, stored).sealed
        return faults_of(new, self._require_endpoint, known)

    async def get(self, token: Token, webhook_id: str) -> Webhook:
        """The webhook, without its secrets; raises `NoSuchWebhook`."""
        return self._shown(await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id)))

    async def standing(self, webhook: Webhook) -> Standing:
        """What has become of the webhook's deliveries so far, and what waits."""
        return (await self._standings.of([webhook]))[webhook.id]

    async def standings(self, webhooks: Sequence[Webhook]) -> dict[str, Standing]:
        """As `standing`, of many in a few queries, by their ids."""
        return await self._standings.of(webhooks)

    async def list(self, token: Token, request: PageRequest, place: Place | None = None) -> Page[Webhook]:
        """The webhooks that the token reaches, by id: all, or those made for exactly this bucket, pond or lake."""
        require(token, "admin")
        scope: WebhookScope | None = None
        if place:
            require_one_place(place)
            scope, _ = await self._core.read(lambda reader: resolve_place(reader, token, place))
        narrowed = (scope.kind, scope.id) if scope is not None else None

        async def fetch(after: str, limit: int) -> list[StoredWebhook]:
            return await self._core.read(lambda reader: webhooks.page(reader, after, limit, narrowed))

        page = await filtered_page(
            request, fetch, lambda row: row.webhook.id, lambda row: reaches_webhook(token, row.webhook)
        )
        return Page([self._shown(row) for row in page.items], page.next_cursor)

    async def change(self, token: Token, webhook_id: str, change: WebhookChange) -> Webhook:
        """Change a webhook; deliveries follow from their next attempt on. Raises `InvalidWebhook`, `NoSuchWebhook`, and
        `Conflict` where a notification configuration says what it is."""
        if change.endpoint is not None:
            self._require_endpoint(change.endpoint)
        require_where(change.rules.get("where"))
        if change.resume is not None and change.status != "enabled":
            raise InvalidWebhook("resume", 'It says where to go on when status is set to "enabled".')

        def changed(tx: Transaction, known: Webhook) -> Webhook:
            require_underived(known, change)
            webhook = apply(known, change)
            if "include_url_seconds" in change.rules:
                _require_link(tx, token, webhook)
            if change.resume == "now":
                start_now(tx, webhook)
            return webhook

        return await self._rewrite(token, webhook_id, changed, _what_changed)

    async def rotate(
        self, token: Token, webhook_id: str, secret: str | None = None, overlap_seconds: int = DEFAULT_OVERLAP_SECONDS
    ) -> tuple[Webhook, str | None]:
        """Sign with another secret as well, and after `overlap_seconds` with that alone; returns with the webhook the
        secret, if one was generated. Raises `InvalidWebhook`, `NoSuchWebhook`."""
        generated = signing.generate_secret() if secret is None else None
        following = generated if generated is not None else require_secret(secret or "")
        now_ms = self._clock.now_ms()

        def rotating(_: Transaction, known: Webhook) -> Webhook:
            return _next_revision(rotated(require_underived(known), following, overlap_seconds, now_ms))

        return await self._rewrite(
            token, webhook_id, rotating, lambda _, made: done("webhook:rotated", made)
        ), generated

    async def promote(self, token: Token, webhook_id: str) -> Webhook:
        """End a rotation's overlap now; raises `Conflict` where none is under way, and `NoSuchWebhook`."""

        def promoting(_: Transaction, known: Webhook) -> Webhook:
            return _next_revision(promoted(require_underived(known)))

        return await self._rewrite(token, webhook_id, promoting, lambda _, made: done("webhook:promoted", made))

    async def delete(self, token: Token, webhook_id: str) -> int:
        """Remove a webhook, what notification configurations made from it, and what waits for them; returns how much.

        Counted are lanes, requested deliveries, and the spans of the logs beyond the positions (events that the webhook
        did not subscribe to included: looking at each would cost the backlog).
        """
        webhook = await self.get(token, webhook_id)
        derived = await self._core.read(lambda reader: webhooks.derived_from(reader, webhook_id))
        standings = await self._standings.of([webhook, *(stored.webhook for stored in derived)])

        now_ms = self._clock.now_ms()

        def mutation(tx: Transaction) -> list[str]:
            visible_webhook(tx, token, webhook_id)
            note(tx, token.actor, now_ms, done("webhook:deleted", webhook))
            gone = [webhook_id, *(stored.webhook.id for stored in webhooks.derived_from(tx, webhook_id))]
            for one in gone:
                webhooks.delete(tx, one)
            return gone

        for gone in await self._core.write(mutation):
            await self._delivery.write(partial(deliveries.forget_webhook, webhook_id=gone))
        self._wake()
        return sum(standing.waiting for standing in standings.values())

    async def test(self, token: Token, webhook_id: str) -> DeliveryId:
        """Ask for a test delivery, which no event caused; raises `NoSuchWebhook`."""
        webhook = await self.get(token, webhook_id)
        bucket_id = webhook.scope.id if webhook.scope.kind == "bucket" else 0
        now_ms = self._clock.now_ms()
        delivery = await self._delivery.write(lambda tx: request_delivery(tx, webhook_id, bucket_id, 0, now_ms))
        self._wake()
        await note_after(self._core, token.actor, now_ms, done("webhook:tested", webhook))
        return delivery

    async def _rewrite(
        self,
        token: Token,
        webhook_id: str,
        change: Callable[[Transaction, Webhook], Webhook],
        told: Callable[[Webhook, Webhook], Done],
    ) -> Webhook:
        """Put what `change` makes of the webhook in its place; `told` is what was done, by the two of them."""
        now_ms = self._clock.now_ms()

        def mutation(tx: Transaction) -> StoredWebhook:
            known = unseal(self._master_key.decrypt, visible_webhook(tx, token, webhook_id))
            # A rotation whose overlap has passed is written down as ended with whatever else is changed.
            webhook = change(tx, settled(known, now_ms))
            stored = seal(self._master_key.encrypt, replace(webhook, updated_at_ms=now_ms))
            webhooks.put(tx, stored)
            follow(tx, self._master_key, webhook, now_ms)
            note(tx, token.actor, now_ms, told(known, webhook))
            return stored

        rewritten = await self._core.write(mutation)
        self._wake()
        return self._shown(rewritten)

    def _shown(self, stored: StoredWebhook) -> Webhook:
        return shown(self._master_key.decrypt, stored, self._clock.now_ms())

    def _require_endpoint(self, url: str) -> str:
        try:
            self._policy.check_endpoint(url)
        except EndpointRefused as refusal:
            raise InvalidWebhook("endpoint", str(refusal)) from None
        return url


def visible_webhook(reader: Reader, token: Token, webhook_id: str) -> StoredWebhook:
    """The webhook, if the token reaches it; raises `NoSuchWebhook`, and `AccessDenied` to who may see none."""
    stored = webhooks.get(reader, webhook_id)
    if stored is None or not reaches_webhook(token, stored.webhook):
        raise NoSuchWebhook
    require(token, "admin")
    return stored


def reaches_webhook(token: Token, webhook: Webhook) -> bool:
    """Whether the webhook exists for the token."""
    return token.covers(webhook.account_id) and covers_place(token, webhook.scope)


def request_delivery(tx: Transaction, webhook_id: str, bucket_id: int, sequence: int, now_ms: int) -> DeliveryId:
    """Put down a delivery of the next generation, due at once."""
    generation = deliveries.next_generation(tx, webhook_id, bucket_id, sequence)
    deliveries.put_requested(
        tx, RequestedDelivery(webhook_id, bucket_id, sequence, generation, "pending", 0, now_ms, now_ms)
    )
    return DeliveryId(webhook_id, bucket_id, sequence, generation)


def _what_changed(known: Webhook, made: Webhook) -> Done:
    detail = {"fields": changed_fields(known, made)}
    if made.status == known.status:
        return done("webhook:changed", made, **detail)
    action: Action = "webhook:enabled" if made.status == "enabled" else "webhook:disabled"
    reason = {} if made.disabled_reason is None else {"reason": made.disabled_reason}
    return done(action, made, **detail, **reason)


def _next_revision(webhook: Webhook) -> Webhook:
    return replace(webhook, revision=webhook.revision + 1)


def _require_link(reader: Reader, token: Token, webhook: Webhook) -> None:
    """Raise `InvalidWebhook` if links to objects are asked for which nobody could sign, and `AccessDenied` if whoever
    asks may not read there."""
    if webhook.rules.include_url_seconds is not None:
        require_place(token, "read", webhook.scope)
    bucket = webhook.scope.name if webhook.scope.kind == "bucket" else None
    if webhook.rules.include_url_seconds is not None and not may_link(reader, webhook.account_id, bucket):
        reason = f"No access key of account {webhook.account_id} may read there: links are signed with one."
        raise InvalidWebhook("includeUrl", reason)


def _insert(tx: Transaction, token: Token, new: NewWebhook, draft: StoredWebhook) -> StoredWebhook:
    scope, owner = resolve_place(tx, token, new.place)
    made = replace(draft.webhook, scope=scope, account_id=owner_of(token, new.account_id, scope, owner))
    require_account(tx, made.account_id)
    _require_link(tx, token, made)
    stored = draft._replace(webhook=made)
    webhooks.put(tx, stored)
    start_now(tx, made)
    return stored


def resolve_place(reader: Reader, token: Token, place: Place) -> tuple[WebhookScope, str]:
    """The place's id, and the account that it belongs to. Raises `AccessDenied` where the token reaches only a part of
    it, or may not see webhooks."""
    if place.bucket is not None:
        bucket = visible_bucket(reader, token, place.bucket, "admin")
        return WebhookScope("bucket", bucket.id, place.bucket), bucket.account_id
    if place.pond is not None:
        lake_slug, slug = split_pond("pond", place.pond)
        pond = visible_pond(reader, token, lake_slug, slug, "admin")
        lake = visible_lake(reader, token, lake_slug, "admin")
        scope = WebhookScope("pond", pond.id, place.pond)
    else:
        lake = visible_lake(reader, token, place.lake or "", "admin")
        scope = WebhookScope("lake", lake.id, lake.slug)
    require_place(token, "admin", scope)
    return scope, lake.account_id


def owner_of(token: Token, account_id: str | None, scope: WebhookScope, place_owner: str) -> str:
    """Whose buckets it matches: the account named, else the place's owner, else (in lake `default`) the token's own."""
    if scope.kind == "bucket" and account_id not in (None, place_owner):
        raise InvalidWebhook("account", "A bucket's webhook belongs to the bucket's account.")
    if account_id is None and token.covers(place_owner):
        return place_owner
    return account_for(token, account_id)


def start_now(tx: Transaction, webhook: Webhook) -> None:
    """The webhook sees what commits after this. Counters that the group still holds back are written first."""
    buckets.forget(tx)
    scope = webhook.scope
    webhooks.insert_starts(tx, webhook.id, scope.kind, scope.id, webhook.account_id)
