from itertools import count

from bench.open_loop import run_open
from bench.server import Server
from bench.signer import Signer
from bench.workloads import Puts, Requests

from .conftest import Scripted


def test_requests_start_at_their_rate(null: Server) -> None:
    source = Puts(Requests(Signer(null.target), "bucket", 100), (f"k{number}" for number in count()))
    loop = run_open(null.target, source, rate=200, seconds=1)
    sent = sorted(ack.sent_at for ack in loop.acks.values())
    assert len(sent) == 200
    assert 0.9 < sent[-1] - sent[0] < 1.3
    assert all(ack.answered_at > ack.sent_at for ack in loop.acks.values())
    assert not loop.tally.errors


def test_lost_connections_are_counted(scripted: Scripted) -> None:
    target = scripted([[b""]] * 32)
    loop = run_open(target, Puts(Requests(Signer(target), "b"), iter("abc")), rate=100, seconds=0.03)
    assert loop.tally.errors == {"PUT connection lost": 3}
    assert not loop.acks
