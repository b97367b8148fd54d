from bench.inbox import Arrival
from bench.latency import after, first_arrivals, sequence_gaps


def arrival(sequence: int, key: str, at: float) -> Arrival:
    return Arrival(at, f"evt_{sequence}", "dlv_1", "object:created", "b", sequence, key)


def test_a_repeat_is_not_a_slower_delivery() -> None:
    assert first_arrivals([arrival(1, "a", 1.0), arrival(1, "a", 9.0)]) == {"a": 1.0}


def test_a_delivery_may_overtake_the_answer_and_a_missing_one_has_no_latency() -> None:
    assert after({"a": 1.5, "b": 1.75}, {"a": 1.0, "b": 2.0, "c": 3.0}) == [0.5, -0.25]


def test_gaps_between_sequences_are_counted() -> None:
    assert sequence_gaps([]) == 0
    assert sequence_gaps([arrival(4, "a", 1), arrival(5, "b", 2), arrival(5, "b", 3)]) == 0
    assert sequence_gaps([arrival(9, "c", 1), arrival(4, "a", 2), arrival(5, "b", 3)]) == 3
