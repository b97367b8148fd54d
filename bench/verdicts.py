"""The performance promises, each judged by what was measured. A pure function of a report's parts."""

from collections.abc import Iterable, Iterator, Mapping

from bench.delivery import delivery_name
from bench.engine_verdicts import judge_engine
from bench.latency import latency_name
from bench.limits import MD5, WRITE_FSYNC
from bench.listing import FEW_KEYS, listing_name
from bench.memory import ProcessUse
from bench.pages import pages_name
from bench.result import MIB, Limit, Result
from bench.shapes import small_name, stream_name
from bench.verdict import Verdict, judge_rate

PROMISED_LISTING_KEYS = 1_000_000
PROMISED_PAGES = (1_000_000, 5_000_000)
PAGE_MS = 200
PROMISED_RATES = {"sqlite": (5_000, 9_000), "postgres": (3_000, 5_000)}
"""4 KiB PUTs and GETs a second at 32 connections, by engine; PostgreSQL shares the machine with the server."""


def judge(
    results: Iterable[Result], limits: Mapping[str, Limit], processes: Iterable[ProcessUse], engine: str = "sqlite"
) -> list[Verdict]:
    """Every promise, in a fixed order."""
    by_name = {result.name: result for result in results}
    puts, gets = PROMISED_RATES[engine]
    return [
        judge_rate(by_name, small_name("PUT", 4096, 32), puts, f"4 KiB PUT at 32 connections ≥ {puts:,}/s"),
        judge_rate(by_name, small_name("GET", 4096, 32), gets, f"4 KiB GET at 32 connections ≥ {gets:,}/s"),
        _stream_put(by_name, limits),
        _stream_get(by_name),
        *_memory(processes),
        *_latency(by_name),
        judge_rate(by_name, delivery_name(history=True), 3_000, "deliveries with history ≥ 3,000/s"),
        _listing(by_name.values()),
        *judge_engine(by_name),
        _pages(by_name.values()),
        _errors(by_name.values()),
    ]


def _stream_put(results: Mapping[str, Result], limits: Mapping[str, Limit]) -> Verdict:
    promise = "single-stream 256 MiB PUT ≥ 60 % of the lower of MD5 and file write with fsync"
    result = results.get(stream_name("PUT", 256 * MIB))
    if result is None or MD5 not in limits or WRITE_FSYNC not in limits:
        return Verdict(promise, "not measured", None)
    lower = min(limits[MD5], limits[WRITE_FSYNC], key=lambda limit: limit.value)
    share = result.mib_per_second / lower.value
    text = f"{gigabytes(result.mib_per_second):.2f} GB/s, {share:.0%} of {lower.name} {gigabytes(lower.value):.2f} GB/s"
    return Verdict(promise, text, share >= 0.6)


def _stream_get(results: Mapping[str, Result]) -> Verdict:
    promise, result = "single-stream 256 MiB GET ≥ 1.5 GB/s", results.get(stream_name("GET", 256 * MIB))
    if result is None:
        return Verdict(promise, "not measured", None)
    speed = gigabytes(result.mib_per_second)
    return Verdict(promise, f"{speed:.2f} GB/s", speed >= 1.5)


def _memory(processes: Iterable[ProcessUse]) -> Iterator[Verdict]:
    promise = "RssAnon < 200 MiB per process throughout"
    most = max(processes, key=lambda use: use.rss_anon_max_bytes, default=None)
    if most is None:
        yield Verdict(promise, "not measured", None)
    else:
        text = f"at most {most.rss_anon_max_bytes / MIB:.0f} MiB ({most.name})"
        yield Verdict(promise, text, most.rss_anon_max_bytes < 200 * MIB)


def _latency(results: Mapping[str, Result]) -> Iterator[Verdict]:
    promise = "PUT acknowledged to receiver at 200 events/s: p50 ≤ 3 ms, p99 ≤ 15 ms"
    result = results.get(latency_name(200))
    if result is None:
        yield Verdict(promise, "not measured", None)
        return
    latency = result.latency
    met = latency.p50_ms <= 3 and latency.p99_ms <= 15 and result.operations > 0 and not result.error_count
    yield Verdict(promise, f"p50 {latency.p50_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms", met)


def _listing(results: Iterable[Result]) -> Verdict:
    promise = f"delimiter page over {PROMISED_LISTING_KEYS:,} keys ≤ 2x the time over {FEW_KEYS:,}"
    measured = [result for result in results if "timeToFewKeysRatio" in result.details]
    if not measured:
        return Verdict(promise, "not measured", None)
    result = measured[0]
    ratio, full = float(result.details["timeToFewKeysRatio"]), result.name == listing_name(PROMISED_LISTING_KEYS)
    text = f"{ratio:.2f}x over {int(result.details['keys']):,} keys"
    if ratio > 2 or result.error_count:
        return Verdict(promise, text, False)
    return Verdict(promise, text, True if full else None)


def _pages(results: Iterable[Result]) -> Verdict:
    promise = (
        f"every page < {PAGE_MS} ms with {PROMISED_PAGES[0]:,} objects in a bucket and {PROMISED_PAGES[1]:,} attempts"
    )
    measured = [result for result in results if result.name.startswith(pages_name("/"))]
    if not measured:
        return Verdict(promise, "not measured", None)
    slowest = max(measured, key=lambda result: result.latency.max_ms)
    met = slowest.latency.max_ms < PAGE_MS and not any(result.error_count for result in measured)
    size = (int(slowest.details["objects"]), int(slowest.details["attempts"]))
    text = f"{len(measured)} pages, at most {slowest.latency.max_ms:.0f} ms ({slowest.name})"
    return Verdict(promise, text, met if not met or size >= PROMISED_PAGES else None)


def _errors(results: Iterable[Result]) -> Verdict:
    promise, counts = "no request failed, no event is missing", [result.error_count for result in results]
    if not counts:
        return Verdict(promise, "not measured", None)
    return Verdict(promise, f"{sum(counts):,} errors", sum(counts) == 0)


def gigabytes(mib: float) -> float:
    """MiB to GB (10⁹ bytes), the unit of the promises."""
    return mib * MIB / 1e9
