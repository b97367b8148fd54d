"""ElasticLake: S3-compatible object storage that turns every change into a signed, ordered, replayable webhook.

The package's map is in ARCHITECTURE.md. `elasticlake` alone is the SDK (`Client`, `AsyncClient`) and the command line;
`elasticlake[server]` adds the object store and the dispatcher.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elasticlake.client import AsyncClient, Client

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> Any:
    """The clients, once somebody asks for one: who imports another part of the package does not wait for httpx."""
    if name in ("AsyncClient", "Client"):
        return getattr(import_module("elasticlake.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
