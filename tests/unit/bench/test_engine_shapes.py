from pathlib import Path

from bench.__main__ import FULL_WAITING, _parser, _settings
from bench.backlog import key_count
from bench.bed import Bed
from bench.control import Api
from bench.engine_shapes import engine_buckets, engine_shapes
from bench.inbox import InboxClient
from bench.isolation import HEALTHY, PUTS_PER_SECOND, SICK
from bench.settings import ENGINE_SHAPES, Settings
from bench.target import Target


def test_each_shape_is_a_group_of_its_own() -> None:
    bed, api, inbox = Bed(Target("127.0.0.1", 1, "a", "s"), "b"), Api("http://127.0.0.1:1", "t"), InboxClient(1, 1)
    for only, groups in (({"isolation", "put"}, 1), (ENGINE_SHAPES, 4), ({"delivery"}, 0)):
        settings = Settings(only=frozenset(only))
        assert len(list(engine_shapes(bed, api, inbox, settings, Path("unused")))) == groups


def test_every_bucket_is_known_by_a_name_that_s3_allows() -> None:
    buckets = engine_buckets("elasticlake-bench-engine-0123abcd")
    assert len(set(buckets)) == 1 + 3 + 120 + 3
    assert max(map(len, buckets)) <= 63


def test_the_healthy_webhooks_get_what_is_promised() -> None:
    assert (HEALTHY, SICK) == (85, 35)
    assert PUTS_PER_SECOND * HEALTHY / (HEALTHY + SICK) == 500


def test_a_backlog_has_several_events_for_each_key() -> None:
    assert [key_count(events) for events in (5, 20_000, 2_000_000)] == [1, 1_000, 10_000]


def test_options_say_how_many_events_wait() -> None:
    parser = _parser()
    assert _settings(parser.parse_args([])).waiting == 20_000
    assert _settings(parser.parse_args(["--full"])).waiting == FULL_WAITING
    assert _settings(parser.parse_args(["--full", "--waiting", "7"])).waiting == 7
