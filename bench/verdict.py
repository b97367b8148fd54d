"""What was measured against one promise."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.result import Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise. `met` is None if this run did not measure it, or not at the promised size."""

    promise: str
    measured: str
    met: bool | None


def judge_rate(results: Mapping[str, Result], name: str, floor: float, promise: str) -> Verdict:
    """So many operations a second, and no error."""
    if name not in results:
        return Verdict(promise, "not measured", None)
    result = results[name]
    clean = result.error_count == 0
    text = f"{result.operations_per_second:,.0f}/s" + ("" if clean else f", {result.error_count} errors")
    return Verdict(promise, text, clean and result.operations_per_second >= floor)


def judge_detail(
    results: Mapping[str, Result],
    name: str,
    detail: str,
    promise: str,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Verdict:
    """A ratio among a result's details, and no error. A ratio of 0 had nothing to be compared with."""
    value = float(results[name].details.get(detail, 0)) if name in results else 0.0
    if not value:
        return Verdict(promise, "not measured", None)
    count = results[name].error_count
    text = f"{value:.2f}" + (f", {count} errors" if count else "")
    fits = (least is None or value >= least) and (most is None or value <= most)
    return Verdict(promise, text, fits and not count)
