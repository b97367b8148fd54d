from bench.exposition import RESIDENT, samples, total

TEXT = """# HELP elasticlake_breakers_open Webhooks.
# TYPE elasticlake_breakers_open gauge
elasticlake_breakers_open 3.0
elasticlake_process_resident_bytes{process="dispatcher"} 1.5e+08
elasticlake_process_resident_bytes{process="gateway-0"} 2e+08
elasticlake_process_resident_bytes_more 7.0
"""


def test_a_metric_is_read_by_its_labels() -> None:
    assert samples(TEXT, RESIDENT) == {'process="dispatcher"': 1.5e8, 'process="gateway-0"': 2e8}


def test_a_metric_without_labels_has_one_value() -> None:
    assert total(TEXT, "elasticlake_breakers_open") == 3


def test_a_metric_that_is_not_there_has_none() -> None:
    assert samples(TEXT, "elasticlake_nothing") == {}
    assert total(TEXT, "elasticlake_nothing") == 0
