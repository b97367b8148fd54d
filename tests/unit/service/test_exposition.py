"""What a Prometheus server reads, read by Prometheus's own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from elasticlake.service.exposition import exposition
from elasticlake.service.metrics import METRICS, Metrics


def parsed(metrics: Metrics) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample, by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(exposition(metrics.snapshot()).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_every_metric_comes_with_its_help_and_kind() -> None:
    text = exposition(Metrics().snapshot()).decode()
    for metric in METRICS:
        assert f"# HELP {metric.name} {metric.meaning}\n# TYPE {metric.name} {metric.kind}\n" in text


def test_counters_have_labels_and_values() -> None:
    metrics = Metrics()
    metrics.s3_request("PutObject", 200, 0.004, 4096, 0)
    samples = parsed(metrics)["elasticlake_s3_requests_total"]
    assert samples == {(("operation", "PutObject"), ("status", "200")): 1}


def test_a_histograms_buckets_are_added_up() -> None:
    metrics = Metrics()
    for seconds in (0.004, 0.2, 99.0):
        metrics.observe_commit(1, seconds)
    found = parsed(metrics)
    buckets = {labels[0][1]: value for labels, value in found["elasticlake_commit_seconds_bucket"].items()}
    assert (buckets["0.0025"], buckets["0.005"], buckets["0.25"], buckets["30.0"], buckets["+Inf"]) == (0, 1, 2, 2, 3)
    assert found["elasticlake_commit_seconds_count"][()] == 3
    assert found["elasticlake_commit_seconds_sum"][()] == 99.204


def test_a_label_is_written_so_that_it_is_read_back() -> None:
    metrics = Metrics()
    metrics.api_request('a"b\\c\n', 200)
    assert (("operation", 'a"b\\c\n'), ("status", "200")) in parsed(metrics)["elasticlake_api_requests_total"]
