"""What the API works with, and what every call brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from elasticlake.model.accounts import Caller, Scope, Token
from elasticlake.service import context
from elasticlake.service.accounts import Accounts
from elasticlake.service.buckets import Buckets
from elasticlake.service.deliveries import Deliveries
from elasticlake.service.explanations import Explanations
from elasticlake.service.feed import Feed
from elasticlake.service.health import Health
from elasticlake.service.hierarchy import Hierarchy
from elasticlake.service.jobs import Jobs
from elasticlake.service.measures import Measures
from elasticlake.service.object_deliveries import ObjectDeliveries
from elasticlake.service.reconcile import Reconciling
from elasticlake.service.shared_metrics import SharedMetrics
from elasticlake.service.statistics import Statistics
from elasticlake.service.tokens import Authenticator, Tokens
from elasticlake.service.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the composition root made."""

    accounts: Accounts
    tokens: Tokens
    hierarchy: Hierarchy
    buckets: Buckets
    measures: Measures
    webhooks: Webhooks
    deliveries: Deliveries
    object_deliveries: ObjectDeliveries
    explanations: Explanations
    jobs: Jobs
    reconciling: Reconciling
    statistics: Statistics
    feed: Feed
    health: Health
    metrics: SharedMetrics


@dataclass(frozen=True, slots=True)
class ProbeServices:
    """As much of them as the health checks and the metrics need, where nothing else is served."""

    tokens: Authenticator
    health: Health
    metrics: SharedMetrics


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """An authenticated call: the services, whose token it carries, and the id that its answer shows."""

    services: Services
    token: Token
    request_id: str

    def on_behalf_of(self, account_id: str) -> context.Request:
        """The request as that account's own; whether the token covers it has been seen before."""
        return context.Request(Caller(account_id, None, Scope()), self.request_id)


def current_call(request: Request) -> CurrentCall:
    return CurrentCall(request.app.state.services, request.state.token, request.state.request_id)


Call = Annotated[CurrentCall, Depends(current_call)]
