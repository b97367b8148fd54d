"""What a run produces: limits of the machine, and results that are compared with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.stats import Percentiles, Tally, percentiles

MIB = 1024 * 1024
OPERATIONS = "ops/s"
THROUGHPUT = "MiB/s"
MILLISECONDS = "ms"

Detail = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the machine's own limits, measured in the same run as the results."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Result:
    """One measured shape. `metric` names the unit that it is judged by: operations or bytes per second."""

    name: str
    operations: int
    body_bytes: int
    seconds: float
    latency: Percentiles
    metric: str = OPERATIONS
    connections: int = 1
    errors: Mapping[str, int] = field(default_factory=dict)
    client_us_per_operation: float = 0.0
    limits: tuple[str, ...] = ()
    details: Mapping[str, Detail] = field(default_factory=dict)

    @property
    def operations_per_second(self) -> float:
        return self.operations / self.seconds if self.seconds > 0 else 0.0

    @property
    def mib_per_second(self) -> float:
        return self.body_bytes / MIB / self.seconds if self.seconds > 0 else 0.0

    @property
    def rate(self) -> float:
        """The rate in the result's own metric."""
        return self.operations_per_second if self.metric == OPERATIONS else self.mib_per_second

    @property
    def error_count(self) -> int:
        return sum(self.errors.values())


def ratios(result: Result, limits: Mapping[str, Limit]) -> dict[str, float]:
    """The result's rate as a share of each fitting limit that was measured; its p50 as a multiple of one in ms."""
    fitting = [limits[name] for name in result.limits if name in limits and limits[name].value]
    shares = {limit.name: result.rate / limit.value for limit in fitting if limit.unit == result.metric}
    return shares | {limit.name: result.latency.p50_ms / limit.value for limit in fitting if limit.unit == MILLISECONDS}


def from_tally(
    name: str,
    tally: Tally,
    *,
    metric: str = OPERATIONS,
    connections: int = 1,
    limits: tuple[str, ...] = (),
    details: Mapping[str, Detail] | None = None,
) -> Result:
    """Close a tally into a result."""
    operations = len(tally.latencies_seconds)
    attempts = operations + sum(tally.errors.values())
    return Result(
        name=name,
        operations=operations,
        body_bytes=tally.body_bytes,
        seconds=tally.elapsed_seconds,
        latency=percentiles(tally.latencies_seconds),
        metric=metric,
        connections=connections,
        errors=dict(tally.errors),
        client_us_per_operation=tally.client_cpu_seconds * 1e6 / attempts if attempts else 0.0,
        limits=limits,
        details=details or {},
    )
