from __future__ import annotations

import pytest

from elasticlake.cli.errors import EventsExpired, ExitCode, cannot_reach, no_valid_token, refusal

NO_SUCH = "/v1/problems/no-such-"


@pytest.mark.parametrize(
    ("status", "document", "subject", "line"),
    [
        (404, {"detail": "The webhook does not exist."}, "webhook wh_1", "no such webhook wh_1 (404)"),
        (404, {"type": f"{NO_SUCH}webhook"}, "webhook wh_1", "no such webhook wh_1 (404)"),
        (
            404,
            {"type": f"{NO_SUCH}access-key"},
            "access key AK of account a",
            "no such access key AK of account a (404)",
        ),
        (
            404,
            {"type": f"{NO_SUCH}bucket", "detail": "There is no bucket b."},
            "webhook w",
            "There is no bucket b (404)",
        ),
        (404, {"detail": "The webhook does not exist."}, "", "The webhook does not exist (404)"),
        (409, {"title": "Conflict", "detail": "It is not empty."}, "lake l", "It is not empty (409)"),
        (503, {"title": "Unavailable"}, "", "Unavailable (503)"),
        (500, {}, "", "the server refused (500)"),
        (422, {"detail": "x", "errors": [{"field": "email", "detail": "Bad."}, 7]}, "", "email: Bad (422)"),
        (422, {"detail": "Bad body.", "errors": "nonsense"}, "", "Bad body (422)"),
    ],
)
def test_refusal_is_one_line(status: int, document: dict[str, object], subject: str, line: str) -> None:
    failure = refusal(status, document, subject)
    assert str(failure) == line
    assert failure.exit_code is ExitCode.REFUSED


def test_what_is_not_allowed_has_its_own_code() -> None:
    assert refusal(403, {"detail": "No."}, "lake l").exit_code is ExitCode.UNAUTHORIZED


def test_a_token_that_is_wrong_and_one_that_is_missing() -> None:
    wrong, missing = (no_valid_token("http://h", sent=sent) for sent in (True, False))
    assert "ELASTICLAKE_API_TOKEN (or --token, or the credentials file) is not valid on http://h" in str(wrong)
    assert str(missing).startswith("give a token with --token or ELASTICLAKE_API_TOKEN; the first one is apiToken in ")
    assert wrong.exit_code is missing.exit_code is ExitCode.UNAUTHORIZED


def test_expired_events_carry_where_to_go_on() -> None:
    failure = refusal(410, {"firstSequence": 40}, "bucket b")
    assert isinstance(failure, EventsExpired)
    assert failure.first_sequence == 40


def test_a_refused_connection_is_found_below_the_library_s_error() -> None:
    outer = OSError("All connection attempts failed")
    outer.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert "is the server running?" in str(cannot_reach("http://h", outer))
    assert str(cannot_reach("http://h", OSError("no such host"))) == "cannot reach http://h: no such host"
