"""`python -m bench`: measure ElasticLake, or any S3 endpoint that is named."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.control import Api, ApiFailed, S3Failed
from bench.environment import IN_MEMORY, file_system
from bench.plan import Plan, broken_off
from bench.processes import NotStarted
from bench.report import Report, as_json, as_text
from bench.server import Server
from bench.settings import SHAPES, Settings, quick_settings
from bench.shapes import FillFailed
from bench.target import parse_target

FULL_LISTING_KEYS = 1_000_000
FULL_WAITING = 2_000_000
FULL_PAGE_OBJECTS = 1_000_000
FULL_PAGE_ATTEMPTS = 5_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report. The status is 1 if the run broke off, 2 for bad arguments; broken promises are only told."""
    options = _parser().parse_args(arguments)
    try:
        external, settings = _external(options), _settings(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    report, status = Report(), 0
    with tempfile.TemporaryDirectory(prefix="elasticlake-bench-", dir=options.data_dir) as name:
        directory = Path(name)
        if file_system(directory) in IN_MEMORY:
            _tell(f"warning: {directory} is in memory, so nothing here is durable; use --data-dir")
        try:
            Plan(settings, directory, options.region, _tell, external, options.engine).run(report)
        except (NotStarted, S3Failed, ApiFailed, FillFailed, OSError) as error:
            _tell(f"broken off: {error}")
            report.results.append(broken_off(error))
            status = 1
        except KeyboardInterrupt:
            status = 130
    print(as_text(report))
    if options.json:
        options.json.write_text(json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    where = parser.add_argument_group("the server (without --endpoint, ElasticLake is spawned)")
    where.add_argument("--endpoint", help="S3 endpoint, http[s]://host[:port]")
    where.add_argument("--access-key", default=os.environ.get("AWS_ACCESS_KEY_ID", ""))
    where.add_argument("--secret-key", default=os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    where.add_argument("--region", default="us-east-1")
    where.add_argument("--api-url", help="ElasticLake's REST API, if it has one (default: the endpoint)")
    where.add_argument("--api-token", help="its token; without it no webhook is registered")
    where.add_argument("--pid", type=int, help="the server's root process on this machine: its memory is then sampled")
    where.add_argument("--data-dir", type=Path, help="for the spawned server; the disk that is measured")
    where.add_argument(
        "--engine", choices=("sqlite", "postgres"), default="sqlite", help="the spawned server's metadata"
    )
    what = parser.add_argument_group("the load")
    what.add_argument("--only", help=f"comma-separated: {','.join(SHAPES)}")
    what.add_argument("--seconds", type=float, help="for each shape (default 5)")
    what.add_argument("--keys", type=int, help="keys of the large listing (default 100,000)")
    what.add_argument("--backlog", type=int, help="events of the delivery shape (default 20,000)")
    what.add_argument("--waiting", type=int, help="events of the backlog shape (default 20,000)")
    what.add_argument(
        "--full",
        action="store_true",
        help=f"list {FULL_LISTING_KEYS:,} keys; {FULL_WAITING:,} events wait; pages of {FULL_PAGE_ATTEMPTS:,} attempts",
    )
    what.add_argument("--quick", action="store_true", help="small and short, to see that everything works")
    parser.add_argument("--json", type=Path, help="also write the report here")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    settings = quick_settings() if options.quick else Settings()
    only = frozenset(options.only.split(",")) if options.only else settings.only
    if unknown := only - set(SHAPES):
        raise ValueError(f"unknown shapes: {', '.join(sorted(unknown))} (known: {', '.join(SHAPES)})")
    full_keys, full_waiting = (FULL_LISTING_KEYS, FULL_WAITING) if options.full else (None, None)
    return replace(
        settings,
        only=only,
        seconds=options.seconds or settings.seconds,
        listing_keys=options.keys or full_keys or settings.listing_keys,
        backlog=options.backlog or settings.backlog,
        waiting=options.waiting or full_waiting or settings.waiting,
        page_objects=FULL_PAGE_OBJECTS if options.full else settings.page_objects,
        page_attempts=FULL_PAGE_ATTEMPTS if options.full else settings.page_attempts,
    )


def _external(options: argparse.Namespace) -> Server | None:
    if not options.endpoint:
        return None
    target = parse_target(options.endpoint, options.access_key, options.secret_key, options.region)
    api = Api(options.api_url or target.url, options.api_token) if options.api_token else None
    return Server(target, api, options.pid)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
