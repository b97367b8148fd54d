"""How long after a PUT's answer its event reaches the receiver's socket, at fixed rates."""

from collections.abc import Iterator, Mapping
from itertools import count

from bench.bed import Bed
from bench.inbox import Arrival
from bench.limits import FDATASYNC_P50
from bench.open_loop import Ack, run_open
from bench.result import Detail, Result
from bench.settings import Settings
from bench.stats import percentiles
from bench.workloads import Puts


def latency_name(rate: int) -> str:
    return f"event latency {rate}/s"


def latency_shapes(bed: Bed, settings: Settings) -> Iterator[Result]:
    """One result per rate; nothing if no webhook is registered."""
    if bed.inbox is None:
        return
    for rate in settings.latency_rates:
        yield _measure(bed, settings, rate)


def _measure(bed: Bed, settings: Settings, rate: int) -> Result:
    assert bed.inbox is not None
    source = Puts(bed.requests(settings.small_bytes), (f"latency/{rate}/{number:09d}" for number in count()))
    bed.begin(keep=True)
    loop = run_open(bed.target, source, rate, settings.latency_seconds)
    arrived = bed.inbox.wait_for(len(source.written))
    arrivals = bed.inbox.arrivals()
    from_ack = after(first_arrivals(arrivals), {key: ack.answered_at for key, ack in loop.acks.items()})
    result = Result(
        name=latency_name(rate),
        operations=len(from_ack),
        body_bytes=0,
        seconds=loop.tally.elapsed_seconds,
        latency=percentiles(from_ack),
        connections=32,
        errors=dict(loop.tally.errors),
        limits=(FDATASYNC_P50,),
        details={**_details(arrivals, loop.acks), "deliveriesRepeated": arrived.total - arrived.distinct},
    )
    return bed.end(result, len(source.written))


def _details(arrivals: list[Arrival], acks: Mapping[str, Ack]) -> dict[str, Detail]:
    """The commit lies between the PUT's sending and its answer, so both bounds of the latency are told."""
    from_sent = percentiles(after(first_arrivals(arrivals), {key: ack.sent_at for key, ack in acks.items()}))
    answers = percentiles([ack.answered_at - ack.sent_at for ack in acks.values()])
    return {
        "fromSentP50Ms": from_sent.p50_ms,
        "fromSentP99Ms": from_sent.p99_ms,
        "putP50Ms": answers.p50_ms,
        "putP99Ms": answers.p99_ms,
        "sequenceGaps": sequence_gaps(arrivals),
    }


def first_arrivals(arrivals: list[Arrival]) -> dict[str, float]:
    """When each key's event came first: a repeat is no slower delivery."""
    first: dict[str, float] = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival.arrived_at)
    return first


def after(arrived_at: Mapping[str, float], started_at: Mapping[str, float]) -> list[float]:
    """Seconds from start to arrival; negative where the delivery overtook the PUT's own answer."""
    return [arrived_at[key] - start for key, start in started_at.items() if key in arrived_at]


def sequence_gaps(arrivals: list[Arrival]) -> int:
    """How many sequences between the lowest and the highest never arrived."""
    sequences = {arrival.sequence for arrival in arrivals}
    return max(sequences) - min(sequences) + 1 - len(sequences) if sequences else 0
