"""Guards, which keep an event that comes twice from being handled twice."""

from elasticlake.webhooks.guards.guard import Claim, Guard
from elasticlake.webhooks.guards.memory import MemoryGuard
from elasticlake.webhooks.guards.redis import RedisGuard
from elasticlake.webhooks.guards.sqlite import SqliteGuard

__all__ = ["Claim", "Guard", "MemoryGuard", "RedisGuard", "SqliteGuard"]
