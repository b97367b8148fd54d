"""`python -m bench.engine`: what the PostgreSQL engine bears, without HTTP in front of it.

Gateways (processes with the server's own engine) run the mutation of a 4 KiB PUT, or a GET's reads, on one bucket and
on many, over a durable PostgreSQL that is started for it. Clients and server share this machine's processors: the rates
say little about a PostgreSQL that has a machine to itself, the processor time of each operation says more.
`--metadata` measures one that runs elsewhere; its database must be empty, and is filled.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.database import running_database
from bench.engine_bed import MANY_BUCKETS, EngineBed, Measured, Shape
from bench.environment import environment
from bench.processes import NotStarted
from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.postgres.blocking import connect
from elasticlake.metadata.postgres.migrations import versions

SECONDS, QUICK_SECONDS = 5.0, 0.3
BUCKETS_SCANNED, QUICK_BUCKETS_SCANNED = 100_000, 1_000
SHAPES = (
    *(Shape("put", 1, concurrency) for concurrency in (1, 8, 32, 64)),
    *(Shape("put", gateways, 32) for gateways in (2, 3)),
    *(Shape("put", 1, concurrency, MANY_BUCKETS) for concurrency in (8, 32, 64)),
    *(Shape("put", gateways, 32, MANY_BUCKETS) for gateways in (2, 3)),
    *(Shape("loose read", 1, concurrency) for concurrency in (1, 8, 32)),
    Shape("loose read", 2, 32),
    Shape("snapshot read", 1, 32),
)
QUICK_SHAPES = (Shape("put", 2, 4), Shape("put", 1, 4, MANY_BUCKETS), Shape("loose read", 1, 4))
_COLUMNS = ("load (gateways x requests at once)", "per second", "p50 ms", "p99 ms", "per commit", "gateway µs")
_SERVER_COLUMNS = ("PostgreSQL µs", "WAL bytes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 2 if the database cannot be used."""
    options = _parser().parse_args(arguments)
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    try:
        with _bed(options.metadata, seconds, quick=options.quick) as bed:
            measured, scan_ms = _measure(bed, quick=options.quick)
    except (ElasticLakeError, NotStarted, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        report = {
            "environment": environment(Path.cwd()),
            "seconds": seconds,
            "results": [asdict(one) for one in measured],
            "scanMilliseconds": scan_ms,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--metadata", help="postgresql://… of an empty database, which is filled")
    parser.add_argument("--seconds", type=float, help=f"for each load (default {SECONDS:g})")
    parser.add_argument("--quick", action="store_true", help="few and short, to see that everything works")
    parser.add_argument("--json", type=Path, help="also write the results here")
    return parser


@contextmanager
def _bed(url: str | None, seconds: float, *, quick: bool) -> Iterator[EngineBed]:
    if url is not None:
        _require_empty(url)
        yield EngineBed(url, seconds)
        return
    with running_database(quick=quick) as server:
        yield EngineBed(server.create_database("bench"), seconds, server.pid)


def _require_empty(url: str) -> None:
    with closing(connect(url)) as connection:
        if any(versions(connection).values()):
            raise ValueError("This database holds a lake already; name an empty one.")


def _measure(bed: EngineBed, *, quick: bool) -> tuple[list[Measured], float]:
    bed.prepare()
    print(" | ".join(_COLUMNS + _SERVER_COLUMNS))
    measured = []
    for shape in QUICK_SHAPES if quick else SHAPES:
        measured.append(bed.measure(shape))
        print(_line(measured[-1]), flush=True)
    count = QUICK_BUCKETS_SCANNED if quick else BUCKETS_SCANNED
    scan_ms = bed.scan_ms(count)
    print(f"a dispatcher's look at {count:,} buckets: {scan_ms:,.1f} ms")
    return measured, scan_ms


def _line(one: Measured) -> str:
    numbers = (one.per_second, one.p50_ms, one.p99_ms, one.mutations_per_commit, one.gateway_us)
    return " | ".join([one.name, *map(_shown, (*numbers, one.server_us, one.wal_bytes))])


def _shown(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}" if number < 1 else f"{number:.1f}"


if __name__ == "__main__":
    sys.exit(main())
