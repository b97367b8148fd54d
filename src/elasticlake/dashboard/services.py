"""What the dashboard works with: the services that the REST API has, and S3's."""

from __future__ import annotations

from dataclasses import dataclass, field

from elasticlake.clock import Clock
from elasticlake.dashboard.catcher import Catchers
from elasticlake.dashboard.sessions import Sessions
from elasticlake.dashboard.sign_in_limit import SignInLimit
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
from elasticlake.service.multipart import Multipart
from elasticlake.service.object_deliveries import ObjectDeliveries
from elasticlake.service.object_links import Presign
from elasticlake.service.objects import Objects
from elasticlake.service.reconcile import Reconciling
from elasticlake.service.statistics import Statistics
from elasticlake.service.system import System
from elasticlake.service.tokens import Tokens
from elasticlake.service.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the composition root made, and what it knows of this server."""

    accounts: Accounts
    tokens: Tokens
    hierarchy: Hierarchy
    buckets: Buckets
    objects: Objects
    measures: Measures
    multipart: Multipart
    webhooks: Webhooks
    deliveries: Deliveries
    statistics: Statistics
    object_deliveries: ObjectDeliveries
    explanations: Explanations
    jobs: Jobs
    reconciling: Reconciling
    feed: Feed
    activities: Activities
    system: System
    health: Health
    presign: Presign
    catchers: Catchers | None
    """Where this server is a developer's own, and one process serves it."""
    sessions: Sessions
    sign_ins: SignInLimit
    clock: Clock
    version: str
    public_url: str
    root_key_id: str
    password: str = field(repr=False)
