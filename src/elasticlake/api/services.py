"""What the API works with, and what every call brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from elasticlake.model.accounts import Caller, Scope, Token
from elasticlake.service import context
from elasticlake.service.accounts import Accounts
from elasticlake.service.activity import Activities
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
from elasticlake.service.system import System
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
    activities: Activities
    system: System
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
        """The request as that account's own, within the token's scope; whether the token covers it has been seen
        before."""
        scope = self.token.scope or Scope()
        return context.Request(Caller(account_id, None, scope, self.token.actor), self.request_id)


def current_call(request: Request) -> CurrentCall:
    request_id = request.state.request_id
    token = replace(request.state.token, request_id=request_id)
    return CurrentCall(request.app.state.services, token, request_id)


Call = Annotated[CurrentCall, Depends(current_call)]
