"""Structured logs: one line an event, JSON for machines, text for a terminal. Secrets are never given to it."""

from __future__ import annotations

import logging
import sys
from typing import TextIO, cast

import structlog

from elasticlake.config.settings import Settings


class _StandardError:
    """Whatever standard error is when a line is written."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Libraries(logging.Handler):
    """Libraries speak through the standard module; their warnings become lines like ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("library")
        log.log(record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info)


def configure_logs(settings: Settings, process: str, *, for_good: bool = True) -> None:
    """Send every log line to standard error, with the process's name and the time. A process that does this `for_good`
    does it once: its loggers remember."""
    level = getattr(logging, settings.log_level.upper())
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            lambda _logger, _name, fields: {"process": process, **fields},
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=for_good,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()])
