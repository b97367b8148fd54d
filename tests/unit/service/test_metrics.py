"""One process's counts, and several made one."""

from __future__ import annotations

from elasticlake.service.metrics import METRICS, WORST_WEBHOOKS, Metrics, merged


def value(metrics: Metrics, name: str, *labels: str | int) -> float:
    return metrics.snapshot()[name][labels][0]


def test_every_metric_says_what_it_is_and_in_which_unit() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert metric.name.startswith("elasticlake_")
        assert metric.meaning.endswith(".")
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert (metric.kind == "histogram") == bool(metric.bounds)
        assert list(metric.bounds) == sorted(metric.bounds)


def test_a_request_is_counted_by_operation_and_status() -> None:
    metrics = Metrics()
    metrics.s3_request("PutObject", 200, 0.004, 4096, 0)
    metrics.s3_request("PutObject", 404, 0.005, 0, 200)
    metrics.s3_request("PutObject", 404, 99.0, 0, 200)
    found = metrics.snapshot()
    assert found["elasticlake_s3_requests_total"] == {("PutObject", 200): [1], ("PutObject", 404): [2]}
    assert found["elasticlake_s3_received_bytes_total"] == {(): [4096]}
    assert found["elasticlake_s3_sent_bytes_total"] == {(): [400]}
    durations = found["elasticlake_s3_request_seconds"]["PutObject",]
    # 5 ms belongs to the bucket "at most 5 ms"; what is beyond all bounds to the last.
    assert (durations[2], durations[-2], sum(durations[:-1]), durations[-1]) == (2, 1, 3, 99.009)


def test_what_may_never_happen_is_there_as_zero() -> None:
    metrics = Metrics()
    assert value(metrics, "elasticlake_delivery_attempts_total", "dead") == 0
    assert value(metrics, "elasticlake_positions_clamped_total") == 0


def test_commits_and_mutations() -> None:
    metrics = Metrics()
    metrics.observe_commit(3, 0.02)
    metrics.observe_commit(4, 0.02)
    assert value(metrics, "elasticlake_commits_total") == 2
    assert value(metrics, "elasticlake_mutations_total") == 7
    assert sum(metrics.snapshot()["elasticlake_commit_seconds"][()][:-1]) == 2


def test_a_clock_that_was_set_back_makes_no_negative_latency() -> None:
    metrics = Metrics()
    metrics.delivered(-5.0)
    assert metrics.snapshot()["elasticlake_delivery_latency_seconds"][()][-1] == 0


def test_only_the_worst_webhooks_are_named() -> None:
    metrics = Metrics()
    metrics.delivery_state(1, 2, {f"wh_{number}": float(number) for number in range(200)})
    found = metrics.snapshot()
    assert found["elasticlake_oldest_undelivered_seconds"] == {(): [199.0]}
    assert set(found["elasticlake_webhook_oldest_undelivered_seconds"]) == {
        (f"wh_{number}",) for number in range(200 - WORST_WEBHOOKS, 200)
    }
    metrics.backlogs({f"wh_{number}": number for number in range(200)})
    assert metrics.snapshot()["elasticlake_webhook_backlog_events"] == {
        (f"wh_{number}",): [number] for number in range(200 - WORST_WEBHOOKS, 200)
    }
    metrics.delivery_state(0, 0, {})
    assert metrics.snapshot()["elasticlake_webhook_oldest_undelivered_seconds"] == {}
    assert value(metrics, "elasticlake_oldest_undelivered_seconds") == 0


def test_counts_of_several_processes_are_added_and_ages_are_not() -> None:
    first, second = Metrics(), Metrics()
    for metrics, number in ((first, 1), (second, 2)):
        metrics.s3_request("GetObject", 200, 0.1, 0, number)
        metrics.delivery_state(number, number, {"wh_1": float(number)})
        metrics.webhooks({"enabled": 5})
    whole = merged([first.snapshot(), {}, second.snapshot()])
    assert whole["elasticlake_s3_requests_total"]["GetObject", 200] == [2]
    assert whole["elasticlake_s3_sent_bytes_total"][()] == [3]
    assert whole["elasticlake_s3_request_seconds"]["GetObject",][-1] == 0.2
    assert whole["elasticlake_deliveries_in_flight"][()] == [3]
    assert whole["elasticlake_oldest_undelivered_seconds"][()] == [2.0]
    assert whole["elasticlake_webhook_oldest_undelivered_seconds"]["wh_1",] == [2.0]
    assert whole["elasticlake_webhooks"]["enabled",] == [5]


def test_a_successor_goes_on_counting_and_measures_anew() -> None:
    first, second = Metrics(), Metrics()
    first.s3_request("GetObject", 200, 0.1, 10, 20)
    first.delivery_state(7, 8, {})
    second.resume(first.snapshot())
    second.s3_request("GetObject", 200, 0.1, 10, 20)
    assert value(second, "elasticlake_s3_requests_total", "GetObject", 200) == 2
    assert value(second, "elasticlake_s3_received_bytes_total") == 20
    assert second.snapshot()["elasticlake_s3_request_seconds"]["GetObject",][-1] == 0.2
    assert value(second, "elasticlake_lanes_parked") == 0
    assert value(first, "elasticlake_s3_requests_total", "GetObject", 200) == 1


def test_dispatchers_are_counted_once_and_not_at_all_while_unknown() -> None:
    first, second, blind = Metrics(), Metrics(), Metrics()
    first.dispatchers(2)
    second.dispatchers(3)
    blind.dispatchers(3)
    blind.dispatchers(None)
    assert blind.snapshot()["elasticlake_dispatchers"] == {}
    whole = merged([first.snapshot(), second.snapshot(), blind.snapshot()])
    assert whole["elasticlake_dispatchers"] == {(): [3]}
