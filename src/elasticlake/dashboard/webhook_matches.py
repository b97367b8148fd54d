"""Which of a bucket's last events a webhook that is being written would be told of, and what speaks against the
others."""

from __future__ import annotations

from dataclasses import dataclass, field

from elasticlake.dashboard.visit import Visit
from elasticlake.dashboard.webhook_reading import Typed
from elasticlake.errors import InvalidInput, NotFound
from elasticlake.service.explanations import Draft, Explained, Question
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import Place

EVENTS_SHOWN = 20
_BUCKETS_OFFERED = 100
_FIELDS = ("events", "where", "filter.")


@dataclass(frozen=True, slots=True)
class Matches:
    """The answers, the latest event first. `buckets` are those to choose from, where the webhook listens to several;
    `note` says why there is no answer; `faults` say it by field."""

    bucket: str = ""
    buckets: list[str] = field(default_factory=list)
    answers: list[Explained] = field(default_factory=list)
    note: str = ""
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def matching(self) -> int:
        return sum(answer.refusal is None for answer in self.answers)


async def matches_of(visit: Visit, typed: Typed, tried: str, webhook_id: str | None = None) -> Matches:
    """Put the definition to the last events of the bucket `tried`, or of the first that there is."""
    new = typed.new
    faults = {**await visit.services.webhooks.faults(visit.token, new, webhook_id), **typed.faults}
    faults = {name: words for name, words in faults.items() if name.startswith(_FIELDS)}
    try:
        buckets = await _buckets(visit, new.place)
        bucket = tried if tried in buckets else next(iter(buckets), "")
        if not bucket:
            return Matches(note="There is no bucket yet to try it on.", faults=faults)
        if faults:
            return Matches(bucket, buckets, note="See what is wrong with the choice first.", faults=faults)
        rules = {name: new.rules[name] for name in ("filter", "where")}
        draft = Draft(new.place, new.events, new.account_id, rules)
        question = Question(bucket=bucket, limit=EVENTS_SHOWN)
        found = await visit.services.explanations.of_draft(visit.token, draft, question)
    except (InvalidInput, NotFound) as error:
        return Matches(note=str(error), faults=faults)
    return Matches(bucket, buckets, found.events)


async def _buckets(visit: Visit, place: Place) -> list[str]:
    """The buckets that the webhook may be tried on."""
    if place.bucket is not None:
        return [place.bucket] if place.bucket else []
    if not (place.pond or place.lake):
        return []
    page = await visit.services.hierarchy.list_buckets(
        visit.token, PageRequest(limit=_BUCKETS_OFFERED), pond=place.pond, lake=place.lake
    )
    return [bucket.name.name for bucket in page.items]
