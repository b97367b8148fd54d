from bench.bed import Bed
from bench.server import Server
from bench.side_by_side import Side, ratio, take_turns


def test_sides_take_turns_and_the_first_changes(null: Server) -> None:
    calm, loaded = (Side(Bed(null.target, bucket), bucket) for bucket in ("calm", "loaded"))
    turns: list[Side] = []
    take_turns(calm, loaded, turns.append, rounds=3)
    assert turns == [calm, loaded, loaded, calm, calm, loaded]


def test_a_side_adds_its_turns_up(null: Server) -> None:
    side = Side(Bed(null.target, "b"), "p")
    side.put_closed(0.05)
    once = len(side.source.written)
    side.put_open(100, 0.05)
    assert once > 0
    assert len(side.source.written) == once + 5 == len(side.tally.latencies_seconds)
    assert side.per_second > 0
    assert side.p99_ms > 0


def test_a_ratio_to_nothing_is_0() -> None:
    assert ratio(1, 0) == 0
    assert ratio(1, 3) == 0.333
