"""A finished run, as a table for people and as JSON for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.memory import ProcessUse
from bench.result import MIB, MILLISECONDS, THROUGHPUT, Detail, Limit, Result, ratios
from bench.verdict import Verdict
from bench.verdicts import gigabytes, judge

COLUMNS = ("shape", "conns", "ops", "ops/s", "MiB/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "errors", "client µs/op")
MARKS = {True: "met", False: "NOT MET", None: "open"}


@dataclass(slots=True)
class Report:
    """Filled while the run goes on, so that an aborted run still shows what it has."""

    environment: dict[str, Detail] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    processes: list[ProcessUse] = field(default_factory=list)

    @property
    def verdicts(self) -> list[Verdict]:
        return judge(self.results, self.limits, self.processes, str(self.environment.get("engine", "sqlite")))


def as_json(report: Report) -> dict[str, Any]:
    """Environment, limits, results with their ratios, processes and verdicts; names in camelCase."""
    return {
        "environment": report.environment,
        "limits": [asdict(limit) for limit in report.limits.values()],
        "results": [_result_json(result, report.limits) for result in report.results],
        "processes": [_process_json(use) for use in report.processes],
        "verdicts": [asdict(verdict) for verdict in report.verdicts],
    }


def _result_json(result: Result, limits: Mapping[str, Limit]) -> dict[str, Any]:
    latency = result.latency
    return {
        "name": result.name,
        "connections": result.connections,
        "operations": result.operations,
        "bytes": result.body_bytes,
        "seconds": round(result.seconds, 4),
        "operationsPerSecond": round(result.operations_per_second, 2),
        "mibPerSecond": round(result.mib_per_second, 2),
        "latencyMs": {"p50": latency.p50_ms, "p90": latency.p90_ms, "p99": latency.p99_ms, "max": latency.max_ms},
        "errors": dict(result.errors),
        "clientCpuUsPerOperation": round(result.client_us_per_operation, 1),
        "ratios": {name: round(ratio, 4) for name, ratio in ratios(result, limits).items()},
        "details": dict(result.details),
    }


def _process_json(use: ProcessUse) -> dict[str, Any]:
    return {
        "pid": use.pid,
        "name": use.name,
        "rssAnonMaxBytes": use.rss_anon_max_bytes,
        "cpuSeconds": round(use.cpu_seconds, 2),
    }


def as_text(report: Report) -> str:
    """The whole report for a terminal."""
    sections = [
        ("Environment", [f"{name}: {value}" for name, value in report.environment.items()]),
        ("Limits of this machine", _table([_limit_row(limit) for limit in report.limits.values()])),
        ("Results", _table([COLUMNS, *map(_row, report.results)])),
        ("Ratios to the limits", _ratio_lines(report)),
        ("Errors", [f"{r.name}: {n:,} x {label}" for r in report.results for label, n in r.errors.items()]),
        ("Details", [f"{r.name}: {_pairs(r.details)}" for r in report.results if r.details]),
        ("Server processes", _table([_process_row(use) for use in report.processes])),
        ("Promises", [f"{MARKS[v.met]:<9}{v.promise}: {v.measured}" for v in report.verdicts]),
    ]
    return "\n\n".join("\n".join((title, "-" * len(title), *(lines or ["none"]))) for title, lines in sections)


def _limit_row(limit: Limit) -> tuple[str, ...]:
    also = f"{gigabytes(limit.value):.2f} GB/s" if limit.unit == THROUGHPUT else ""
    precision = 3 if limit.unit == MILLISECONDS else 0
    return limit.name, f"{limit.value:,.{precision}f} {limit.unit}", also


def _row(result: Result) -> tuple[str, ...]:
    latency = result.latency
    points = (latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms)
    return (
        result.name,
        str(result.connections),
        f"{result.operations:,}",
        f"{result.operations_per_second:,.1f}",
        f"{result.mib_per_second:,.1f}",
        *(f"{point:,.2f}" if any(points) else "-" for point in points),
        f"{result.error_count:,}",
        f"{result.client_us_per_operation:,.1f}" if result.client_us_per_operation else "-",
    )


def _ratio_lines(report: Report) -> list[str]:
    lines = []
    for result in report.results:
        found = ratios(result, report.limits)
        if found:
            texts = [_ratio_text(report.limits[name], ratio) for name, ratio in found.items()]
            lines.append(f"{result.name}: {'; '.join(texts)}")
    return lines


def _ratio_text(limit: Limit, ratio: float) -> str:
    return f"p50 {ratio:.1f} x {limit.name}" if limit.unit == MILLISECONDS else f"{ratio:.0%} of {limit.name}"


def _process_row(use: ProcessUse) -> tuple[str, ...]:
    return f"{use.pid}", use.name, f"RssAnon max {use.rss_anon_max_bytes / MIB:.1f} MiB", f"CPU {use.cpu_seconds:.1f} s"


def _pairs(details: Mapping[str, Detail]) -> str:
    return ", ".join(f"{name}={value}" for name, value in details.items())


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need; the first to the left, numbers to the right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_cell(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() or cell == "-" else cell.ljust(width)
