"""Which events a webhook is told of: those of its types that its filter and its expression let through."""

from __future__ import annotations

from collections.abc import Callable, Collection

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event
from elasticlake.model.filters import Clause, Refusal, compile_filter, refusal
from elasticlake.model.notifications import event_clause
from elasticlake.model.rules import Rules
from elasticlake.record import record
from elasticlake.service.where import Where, WhereFailed, compile_where


@record
class Selection:
    """A webhook's choice of events, compiled."""

    types: frozenset[str]
    refuses: Callable[[Event], bool] | None = None
    """Whether an event of these types is refused all the same; None where none is, which costs nothing to ask."""
    is_slow: bool = False
    """Whether asking takes so long that many events should not be asked about at once."""

    def selects(self, event: Event) -> bool:
        return event.type in self.types and (self.refuses is None or not self.refuses(event))


def select(
    types: Collection[str], rules: Rules, failed: Callable[[Event, str], None] = lambda event, reason: None
) -> Selection:
    """The selection; `failed` is told of each event for which the expression has no answer (which refuses it), and
    why."""
    clauses, where = _clauses(rules), _where(rules)
    if not clauses and where is None:
        return Selection(frozenset(types))

    def refuses(event: Event) -> bool:
        found = _refusal(clauses, where, event)
        if found is not None and found.error is not None:
            failed(event, found.error)
        return found is not None

    return Selection(frozenset(types), refuses, where is not None)


def explain(types: Collection[str], rules: Rules, event: Event) -> Refusal | None:
    """Which clause refuses the event; None if it is selected."""
    if event.type not in types:
        return Refusal("events", event.type)
    where = _where(rules)
    found = _refusal(_clauses(rules), where, event)
    if found is not None and found.clause == "where" and isinstance(where, Where):
        return Refusal(found.clause, where.values(event), found.error)
    return found


def _clauses(rules: Rules) -> tuple[Clause, ...]:
    clauses = compile_filter(rules.filter)
    return clauses if rules.notification is None else (*clauses, event_clause(rules.notification))


def _where(rules: Rules) -> Where | str | None:
    """The expression, or what is wrong with it: an older version may have taken what this one refuses."""
    if rules.where is None:
        return None
    try:
        return compile_where(rules.where)
    except InvalidWebhook as fault:
        return str(fault)


def _refusal(clauses: tuple[Clause, ...], where: Where | str | None, event: Event) -> Refusal | None:
    found = refusal(clauses, event)
    if found is not None or where is None:
        return found
    if isinstance(where, str):
        return Refusal("where", None, where)
    try:
        return None if where.matches(event) else Refusal("where", None)
    except WhereFailed as failure:
        return Refusal("where", None, str(failure))
