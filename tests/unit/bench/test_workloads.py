from collections import Counter

import pytest
from bench.client import Request
from bench.keys import KeyPool
from bench.signer import Signer
from bench.target import Target
from bench.workloads import Deletes, Mixed, Puts, Reads, Requests, SpreadPuts, random_body

TARGET = Target("127.0.0.1", 9000, "a", "s")


def requests(size_bytes: int = 10) -> Requests:
    return Requests(Signer(TARGET), "bucket", size_bytes)


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * 1024 * 1024 + 7])
def test_a_body_has_its_size(size: int) -> None:
    assert len(random_body(size)) == size


def test_puts_remember_what_succeeded() -> None:
    puts = Puts(requests(), (f"k{number}" for number in range(2)))
    first, second = puts.next(), puts.next()
    assert first is not None
    assert second is not None
    assert first.head.startswith(b"PUT /bucket/k0 HTTP/1.1\r\n")
    assert len(first.body) == 10
    puts.done(first, False)
    puts.done(second, True)
    assert puts.written == ["k1"]
    assert puts.next() is None


def test_a_get_expects_the_whole_body() -> None:
    request = Reads(requests(4096), KeyPool(["k"]), "GET").next()
    assert request is not None
    assert request.expected_bytes == 4096


def test_a_page_starts_after_a_key_in_canonical_query_order() -> None:
    request = Reads(requests(), KeyPool(["a/b"]), "LIST").next()
    assert request is not None
    assert request.head.startswith(b"GET /bucket?list-type=2&max-keys=100&start-after=a%2Fb HTTP/1.1\r\n")


def test_deletes_take_each_key_once() -> None:
    deletes = Deletes(requests(), ["a", "b"])
    found = [deletes.next(), deletes.next(), deletes.next()]
    assert [request and request.key for request in found] == ["b", "a", None]


def test_mixed_load_has_its_proportions_and_never_deletes_what_is_read() -> None:
    source = Mixed(requests(), KeyPool([f"k{n}" for n in range(100)]), "m/")
    counts, open_reads = Counter[str](), list[Request]()
    existing = {f"k{n}" for n in range(100)}
    for _ in range(20_000):
        request = source.next()
        assert request is not None
        counts[request.operation] += 1
        if request.operation == "DELETE":
            assert request.key not in {reading.key for reading in open_reads}
            existing.remove(request.key)
        elif request.operation == "PUT":
            existing.add(request.key)
        else:
            assert request.key in existing
            open_reads.append(request)
        finished: list[Request] = [request] if request.operation in ("PUT", "DELETE") else open_reads[:-8]
        for one in finished:
            source.done(one, True)
        del open_reads[:-8]
    shares = {operation: number / 20_000 for operation, number in counts.items()}
    assert shares == pytest.approx({"GET": 0.45, "HEAD": 0.3, "PUT": 0.15, "DELETE": 0.1}, abs=0.02)
    assert source.changes == counts["PUT"] + counts["DELETE"]


def test_an_empty_pool_is_filled_first() -> None:
    source = Mixed(requests(), KeyPool(), "m/")
    drawn = [source.next() for _ in range(50)]
    assert {request.operation for request in drawn if request} == {"PUT"}
    assert len({request.key for request in drawn if request}) == 50


def test_spread_puts_go_around_and_count_for_each_bucket() -> None:
    buckets = [Requests(Signer(TARGET), f"bucket-{number}", 10) for number in range(3)]
    puts = SpreadPuts(buckets, "phase")
    made = [puts.next() for _ in range(4)]
    assert [request and request.head.split(b" ")[1].split(b"/")[1] for request in made] == [
        b"bucket-0",
        b"bucket-1",
        b"bucket-2",
        b"bucket-0",
    ]
    for number, request in enumerate(made):
        assert request is not None
        puts.done(request, number != 1)
    assert puts.written == [2, 0, 1]
    assert len({request.key for request in made if request}) == 4
