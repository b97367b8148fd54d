"""What the embedded history costs; what it finds is in tests/conformance/metadata/test_history.py."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
from tests.unit.world import attempt

from elasticlake.metadata.history import HistoryReader, HistoryWriter

DAYS = 8
DAY_MS = 86_400_000
MIB = 1 << 20
DELIVERIES_A_DAY = 512
BODY = bytes(8192)  # so that a day has 4 MiB


def test_many_days_of_history_are_read_in_little_memory(tmp_path: Path) -> None:
    with closing(HistoryWriter(tmp_path)) as writer:
        for day in range(DAYS):
            one = replace(attempt("wh_a", 1, 1), started_at_ms=day * DAY_MS, response_body=BODY)
            writer.append(replace(one, sequence=number) for number in range(DELIVERIES_A_DAY))
    before = apsw.memory_used()
    with closing(HistoryReader(tmp_path)) as reader:
        for number in range(DELIVERIES_A_DAY):
            assert len(reader.of_delivery("wh_a", 1, number, 0)) == DAYS
        assert apsw.memory_used() - before < DAYS * MIB


def test_what_was_written_is_let_go(tmp_path: Path) -> None:
    with closing(HistoryWriter(tmp_path)) as writer:
        writer.append([attempt("wh_a", 1, 0)])
        before = apsw.memory_used()
        writer.append(replace(attempt("wh_a", 1, number), request_body=bytes(MIB)) for number in range(1, 21))
        assert apsw.memory_used() - before < 8 * MIB  # the connection's page cache is 4
