"""The same PUTs into two buckets in turns, so that whatever else drifts, drifts for both."""

from collections.abc import Callable, Iterator
from itertools import count

from bench.bed import Bed
from bench.closed_loop import run_closed
from bench.open_loop import Ack, run_open
from bench.stats import Tally, percentiles
from bench.workloads import Puts

ROUNDS = 4
CONNECTIONS = 32
OBJECT_BYTES = 4096


class Side:
    """One of the two buckets, what is put there, and what it took."""

    def __init__(self, bed: Bed, prefix: str) -> None:
        self._bed = bed
        self.source = Puts(bed.requests(OBJECT_BYTES), _keys(prefix))
        self.tally = Tally()
        self.acks: list[Ack] = []
        """Of what was put at a fixed rate."""

    @property
    def per_second(self) -> float:
        return len(self.tally.latencies_seconds) / self.tally.elapsed_seconds if self.tally.elapsed_seconds else 0.0

    @property
    def p99_ms(self) -> float:
        return percentiles(self.tally.latencies_seconds).p99_ms

    def put_closed(self, seconds: float) -> None:
        """As many as there may be, over 32 connections."""
        self._add(run_closed(self._bed.target, self.source, CONNECTIONS, seconds))

    def put_open(self, rate: float, seconds: float) -> None:
        """So many a second."""
        loop = run_open(self._bed.target, self.source, rate, seconds)
        self.acks += loop.acks.values()
        self._add(loop.tally)

    def _add(self, part: Tally) -> None:
        self.tally.latencies_seconds += part.latencies_seconds
        self.tally.errors.update(part.errors)
        self.tally.body_bytes += part.body_bytes
        self.tally.elapsed_seconds += part.elapsed_seconds
        self.tally.client_cpu_seconds += part.client_cpu_seconds


def take_turns(calm: Side, loaded: Side, turn: Callable[[Side], None], rounds: int = ROUNDS) -> None:
    """Each side's turn in each round; who is first changes from round to round."""
    for number in range(rounds):
        for side in (calm, loaded) if number % 2 == 0 else (loaded, calm):
            turn(side)


def ratio(part: float, whole: float) -> float:
    """Rounded; 0 if there is nothing to compare with."""
    return round(part / whole, 3) if whole > 0 else 0.0


def _keys(prefix: str) -> Iterator[str]:
    return (f"{prefix}/{number:09d}" for number in count())
