"""How a command ends when it does not succeed: one line for the person, one exit code for the script."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

# The type of a problem about a thing that is not there, up to the thing's name.
MISSING = "/v1/problems/no-such-"

UNAUTHORIZED_HINT = "give a token with --token or ELASTICLAKE_API_TOKEN"

# How OpenSSL, in its several releases, calls an answer that is plain HTTP.
NO_TLS_THERE = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"})


class ExitCode(IntEnum):
    """What a script can tell apart."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNAUTHORIZED = 4
    FAULT = 70
    INTERRUPTED = 130
    NO_READER = 141


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.REFUSED: "refused, or what was examined is not well: the line on stderr says why",
    ExitCode.USAGE: "the command line, a variable or a setting is wrong",
    ExitCode.UNREACHABLE: "the server cannot be reached",
    ExitCode.UNAUTHORIZED: "no valid token, or it may not do this",
    ExitCode.FAULT: "an answer that nobody foresaw, or a fault of elasticlake itself: the line says where",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.NO_READER: "whoever read the output went away, as `head` does",
}
"""All that a command ends with, but for 128 and its number after another signal."""


class CommandFailed(Exception):
    """A command could not do what was asked; `str(error)` is its one line on stderr."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class EventsExpired(CommandFailed):
    """The bucket's log no longer holds the events asked for; `first_sequence` is the first that it does."""

    def __init__(self, first_sequence: int) -> None:
        super().__init__(
            f"earlier events have expired: the first one kept has sequence {first_sequence} "
            f"(read on with --after {first_sequence - 1}) (410)"
        )
        self.first_sequence = first_sequence


def no_valid_token(url: str, *, sent: bool) -> CommandFailed:
    """A 401: the token that was sent is none of this server's, or none was sent."""
    if sent:
        given = "ELASTICLAKE_API_TOKEN (or --token, or the credentials file)"
        line = f"the token in {given} is not valid on {url} (401)"
    else:
        line = f"{UNAUTHORIZED_HINT}; the first one is apiToken in credentials.json, in the server's data folder (401)"
    return CommandFailed(line, ExitCode.UNAUTHORIZED)


def refusal(status: int, problem: Mapping[str, Any], subject: str) -> CommandFailed:
    """The failure that a problem document (RFC 9457) describes; `subject` is what the request was about, or ""."""
    if status == 403:
        return CommandFailed(f"not allowed: {_sentence(problem)} (403)", ExitCode.UNAUTHORIZED)
    if status == 404 and subject and not _is_of_another(problem, subject):
        return CommandFailed(f"no such {subject} (404)")
    first_sequence = problem.get("firstSequence")
    if status == 410 and isinstance(first_sequence, int):
        return EventsExpired(first_sequence)
    return CommandFailed(f"{_fields(problem) or _sentence(problem)} ({status})")


def cannot_reach(url: str, reason: BaseException) -> CommandFailed:
    """No connection to the server: refused, no such name, no TLS there, or no trust in its certificate."""
    causes = list(_causes(reason))
    if any(isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS_THERE for cause in causes):
        line = f"the server at {url} does not speak TLS: use http://"
        return CommandFailed(line, ExitCode.UNREACHABLE)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        hint = "is the server running? (start it with `elasticlake serve`)"
    else:
        hint = str(reason) or type(reason).__name__
    return CommandFailed(f"cannot reach {url}: {hint}", ExitCode.UNREACHABLE)


def lost_connection(url: str, reason: BaseException) -> CommandFailed:
    """The connection ended without a whole answer: as a server that speaks TLS ends one that does not."""
    hint = " (if the server speaks TLS, use https://)" if url.startswith("http://") else ""
    why = str(reason).rstrip(".") or type(reason).__name__
    return CommandFailed(f"lost the connection to {url}: {why}{hint}", ExitCode.UNREACHABLE)


def unexpected_answer(url: str, what: str) -> CommandFailed:
    """Something answers at `url`, but not as ElasticLake would."""
    return CommandFailed(f"{url} is not an ElasticLake server: it answered {what}")


def usage(message: str) -> CommandFailed:
    """A setting is wrong that is no parameter of the command itself (the URL, the token, a name)."""
    return CommandFailed(message, ExitCode.USAGE)


def _is_of_another(problem: Mapping[str, Any], subject: str) -> bool:
    """Whether it is not the subject that is missing, but something else that the request named."""
    missing = str(problem.get("type")).partition(MISSING)[2].replace("-", " ")
    return bool(missing) and not subject.startswith(f"{missing} ")


def _sentence(problem: Mapping[str, Any]) -> str:
    return str(problem.get("detail") or problem.get("title") or "the server refused").rstrip(".")


def _fields(problem: Mapping[str, Any]) -> str:
    errors = problem.get("errors")
    if not isinstance(errors, list):
        return ""
    described = [error for error in errors if isinstance(error, Mapping)]
    return "; ".join(f"{error.get('field')}: {str(error.get('detail')).rstrip('.')}" for error in described)


def _causes(reason: BaseException | None) -> Iterator[BaseException]:
    """The error and what is below it: the HTTP library wraps the system's error in its own."""
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__
