"""What is measured, and how much of it."""

from dataclasses import dataclass, field

from bench.large import MultipartShape
from bench.result import MIB

ENGINE_SHAPES = ("fanout", "breakers", "isolation", "backlog")
"""Those of the delivery engine: they have a server of their own."""
SHAPES = (
    *("put", "get", "head", "list", "delete", "mixed", "stream", "multipart", "latency", "delivery", "listing"),
    *ENGINE_SHAPES,
    "pages",
)


@dataclass(frozen=True, slots=True)
class MixedShape:
    """One size of the mixed load. `pool` objects exist before it starts."""

    size_bytes: int
    connections: int
    pool: int


@dataclass(frozen=True, slots=True)
class Settings:
    """One run's choices; the defaults are the full run but for the listing's million keys, the two million events that
    are `waiting` for a dead endpoint, and the million objects and five million attempts that pages are about. Sick
    endpoints need longer than a deadline of 30 s to show all they can do.
    """

    only: frozenset[str] = frozenset(SHAPES)
    seconds: float = 5.0
    connections: tuple[int, ...] = (1, 8, 32)
    small_bytes: int = 4096
    mixed: tuple[MixedShape, ...] = (MixedShape(100 * 1024, 16, 500), MixedShape(10 * MIB, 8, 48))
    stream_bytes: tuple[int, ...] = (256 * MIB, 1024 * MIB)
    stream_repeats: int = 3
    multipart: MultipartShape = field(default_factory=MultipartShape)
    latency_rates: tuple[int, ...] = (1, 200, 1000)
    latency_seconds: float = 10.0
    backlog: int = 20_000
    isolation_seconds: float = 40.0
    fanout_rate: int = 160
    waiting: int = 20_000
    listing_keys: int = 100_000
    listing_pages: int = 200
    page_objects: int = 20_000
    page_attempts: int = 100_000
    quick: bool = False

    def wants(self, *shapes: str) -> bool:
        return any(shape in self.only for shape in shapes)


def quick_settings() -> Settings:
    """A run of about a minute, to see that everything works; its numbers are not for quoting."""
    return Settings(
        seconds=1.0,
        mixed=(MixedShape(100 * 1024, 16, 100), MixedShape(10 * MIB, 4, 8)),
        stream_bytes=(64 * MIB,),
        stream_repeats=2,
        multipart=MultipartShape(parts=4),
        latency_seconds=3.0,
        backlog=2_000,
        isolation_seconds=4.0,
        waiting=2_000,
        listing_keys=10_000,
        listing_pages=50,
        page_objects=2_000,
        page_attempts=10_000,
        quick=True,
    )


def size_text(size_bytes: int) -> str:
    """4096 → `4 KiB`."""
    for unit, scale in (("GiB", 1024 * MIB), ("MiB", MIB), ("KiB", 1024)):
        if size_bytes >= scale and size_bytes % scale == 0:
            return f"{size_bytes // scale} {unit}"
    return f"{size_bytes} B"
