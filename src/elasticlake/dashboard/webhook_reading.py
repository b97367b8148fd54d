"""The form of a webhook, read: what was typed becomes a definition.

Judged here is only whether a text is a number, a time or a pair at all; whether it is a good one, the services say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from elasticlake.dashboard.amounts import BYTES, SECONDS, read_amount
from elasticlake.dashboard.forms import Form, Texts
from elasticlake.dashboard.webhook_fields import PAIR_FIELDS, SIZE_FIELDS, TEXT_FIELDS, shown
from elasticlake.model.filters import Filter
from elasticlake.model.rules import Batch, Format
from elasticlake.model.webhooks import DEFAULT_TIMEOUT_SECONDS, OnDead, Ordering, Webhook
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange, value_or


@dataclass(frozen=True, slots=True)
class Typed:
    """The definition that a form asks for, and by field what in it is no value at all."""

    new: NewWebhook
    faults: dict[str, str]


def read(form: Form, known: Webhook | None = None) -> Typed:
    """The definition that the form asks for: of a new webhook, or of the `known` one as it is to be."""
    reader = _Reader(form, known)
    kind = known.scope.kind if known is not None else form.text("kind", "bucket")
    place = known.scope.name if known is not None else form.text("place")
    new = NewWebhook(
        place=Place(**{kind: place}) if kind in ("bucket", "pond", "lake") else Place(),
        endpoint=form.text("endpoint"),
        events=tuple(form.all("events")),
        account_id=known.account_id if known is not None else None,
        secret=form.raw("secret") if form.text("secretFrom") == "own" else None,
        retry_schedule_seconds=reader.schedule("retrySchedule"),
        timeout_seconds=value_or(reader.number("timeoutSeconds"), DEFAULT_TIMEOUT_SECONDS),
        ordering=cast(Ordering, reader.one_of("ordering", ("key", "bucket", "none"))),
        on_dead=cast("OnDead | None", reader.one_of("onDead", ("", "continue", "pause")) or None),
        name=form.text("name"),
        rules=reader.rules(),
        sealed=reader.sealed(),
    )
    if not new.events:
        reader.faults["events"] = "Choose at least one event."
    return Typed(new, reader.faults)


def change_of(new: NewWebhook, known: Webhook) -> WebhookChange:
    """What makes the known webhook what the form asks for. An endpoint that stays is not judged again."""
    return WebhookChange(
        endpoint=new.endpoint if new.endpoint != known.endpoint else None,
        events=new.events,
        retry_schedule_seconds=new.retry_schedule_seconds,
        timeout_seconds=new.timeout_seconds,
        ordering=new.ordering,
        on_dead=new.on_dead,
        name=new.name,
        rules=new.rules,
        sealed=new.sealed,
    )


class _Reader:
    """Reads texts as what they stand for, and notes by field what cannot be read."""

    def __init__(self, form: Form, known: Webhook | None) -> None:
        self._form = form
        self._known = known
        self._was = shown(known).values if known is not None else Texts()
        self.faults: dict[str, str] = {}

    def rules(self) -> dict[str, Any]:
        form = self._form
        return {
            "filter": self._filter(),
            "where": form.raw("where") if form.text("where") else None,
            "format": cast(Format, self.one_of("format", ("elasticlake", "cloudevents", "s3"))),
            "include_metadata": form.checked("includeMetadata"),
            "include_url_seconds": self._whole("includeUrl", self._amount("includeUrl", SECONDS, "Write 5m or 1h.")),
            "coalesce": form.checked("coalesce"),
            "rate_limit": self.number("rateLimit"),
            "max_concurrency": self._whole("maxConcurrency", self.number("maxConcurrency")),
            "batch": self._batch(),
        }

    def sealed(self) -> dict[str, Any]:
        """What is empty is taken away, but for a key: that stays as long as its certificate does."""
        form = self._form
        certificate, key = form.text("clientCertificate") or None, form.text("clientKey") or None
        given = {
            "headers": self._pairs("headers", ":", "Write a header in a line: Name: value."),
            "client_certificate": self._pem("clientCertificate"),
            "certificate_authority": self._pem("certificateAuthority"),
            "client_key": form.raw("clientKey") if key is not None else None,
        }
        keeps = self._known is not None and self._known.sealed.client_key is not None
        if key is None and certificate is not None and keeps:
            del given["client_key"]
        return given

    def number(self, name: str) -> float | None:
        """A number; None for nothing, or what is none."""
        text = self._form.text(name)
        try:
            return float(text) if text else None
        except ValueError:
            self.faults[name] = "Write a number."
            return None

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the choices; the first, if it was not sent."""
        text = self._form.text(name, choices[0])
        if text not in choices:
            self.faults[name] = f"Choose {', '.join(filter(None, choices))}."
        return text

    def schedule(self, name: str) -> tuple[float, ...]:
        """The waits, separated by commas or blanks."""
        waits: list[float] = []
        for text in re.split(r"[,\s]+", self._form.text(name)):
            seconds = read_amount(text, SECONDS) if text else None
            if text and seconds is None:
                self.faults[name] = f"“{text}” is no time: write 30s, 5m, 2h or 1d."
            waits += [seconds] if seconds is not None else []
        return tuple(waits)

    def _filter(self) -> Filter:
        given: dict[str, Any] = {attribute: self._lines(name) for name, attribute in TEXT_FIELDS.items()}
        for name, attribute in PAIR_FIELDS.items():
            given[attribute] = self._pairs(name, "=", "Write a pair in a line: name=value.")
        for name, attribute in SIZE_FIELDS.items():
            given[attribute] = self._whole(name, self._amount(name, BYTES, "Write bytes, or 10 KiB, 1.5 MiB."))
        was = self._known.rules.filter if self._known is not None else None
        for name, attribute in (TEXT_FIELDS | PAIR_FIELDS).items():
            # What a text area cannot show, such as a line end within a prefix, stays where nothing was changed.
            if was is not None and self._form.raw(name) == self._was[name]:
                given[attribute] = getattr(was, attribute)
                self.faults.pop(name, None)
        return Filter(**given)

    def _lines(self, name: str) -> tuple[str, ...]:
        """Lines as they are: a key may begin or end with a blank."""
        return tuple(line for line in self._form.raw(name).split("\n") if line.strip())

    def _pairs(self, name: str, separator: str, words: str) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for line in self._form.lines(name):
            key, found, value = line.partition(separator)
            if not found:
                self.faults[name] = words
            elif key.strip() in pairs:
                self.faults[name] = f"{key.strip()} is there twice."
            pairs[key.strip()] = value.strip()
        return pairs

    def _batch(self) -> Batch | None:
        events = self._whole("batch.maxEvents", self.number("batch.maxEvents"))
        wait_ms = self._whole("batch.maxWaitMs", self.number("batch.maxWaitMs"))
        return Batch(events, wait_ms or 0) if events is not None else None

    def _amount(self, name: str, units: Mapping[str, int], words: str) -> float | None:
        text = self._form.text(name)
        amount = read_amount(text, units)
        if text and amount is None:
            self.faults[name] = words
        return amount

    def _whole(self, name: str, number: float | None) -> int | None:
        if number is None:
            return None
        if number != number or number in (float("inf"), float("-inf")) or number != int(number):
            self.faults[name] = "Write a whole number."
            return None
        return int(number)

    def _pem(self, name: str) -> str | None:
        return self._form.raw(name) if self._form.text(name) else None
