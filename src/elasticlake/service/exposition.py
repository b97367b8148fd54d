"""Metrics as a Prometheus server reads them: the text format, version 0.0.4."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from elasticlake.service.metrics import METRICS, Labels, Metric, Snapshot

MEDIA_TYPE: str = CONTENT_TYPE_PLAIN_0_0_4


def exposition(snapshot: Snapshot) -> bytes:
    """Every metric of `snapshot`, with its help text."""
    return generate_latest(_Collected(snapshot))


class _Collected(Collector):
    """A snapshot in the library's terms."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            yield _family(metric, self._snapshot.get(metric.name, {}))


def _family(metric: Metric, series: dict[Labels, list[float]]) -> Family:
    if metric.kind == "histogram":
        return _histogram(metric, series)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=metric.labels)
    for labels, values in series.items():
        family.add_metric([str(label) for label in labels], values[0])
    return family


def _histogram(metric: Metric, series: dict[Labels, list[float]]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    bounds = [*map(str, metric.bounds), "+Inf"]
    for labels, values in series.items():
        buckets = list(zip(bounds, itertools.accumulate(values[:-1]), strict=True))
        family.add_metric([str(label) for label in labels], buckets, values[-1])
    return family
