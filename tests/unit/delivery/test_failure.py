"""What statuses, deadlines and shortages of our own become."""

from __future__ import annotations

import errno
import ssl

import pytest

from elasticlake.delivery.dialer import Dial
from elasticlake.delivery.failure import ERROR_CLASSES, judge_dialling, judge_ending, judge_status, timed_out
from elasticlake.errors import Unavailable
from elasticlake.model.endpoint import EndpointRefused

HOST = "myapp.test"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_no_failure(status):
    assert judge_status(status) is None


@pytest.mark.parametrize(
    ("status", "error_class"), [(101, "status"), (301, "redirect"), (304, "redirect"), (410, "status"), (500, "status")]
)
def test_any_other_status_is_one(status, error_class):
    failure = judge_status(status)
    assert failure is not None
    assert failure.error_class == error_class
    assert failure.error_class in ERROR_CLASSES
    assert str(status) in failure.text


def test_a_deadline_says_what_was_missing():
    assert timed_out(30.0, None).text == "no response within 30 s"
    assert timed_out(1.5, 200).text == "no end of the 200 response's body within 1.5 s"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_our_own_shortage_is_no_attempt(number):
    shortage = OSError(number, "none left")
    with pytest.raises(Unavailable, match="none left"):
        judge_dialling(shortage, HOST, Dial("connect"))
    with pytest.raises(Unavailable):
        judge_dialling(OSError("several"), HOST, Dial("connect", local_fault=shortage))


def test_an_unreachable_receiver_is_one():
    failure = judge_dialling(OSError(errno.EHOSTUNREACH, "No route to host"), HOST, Dial("connect", opened=1))
    assert (failure.error_class, failure.text) == ("connect", "No route to host")


def test_an_address_that_was_dialled_says_more_than_one_that_was_refused():
    refusal = EndpointRefused("10.0.0.1 is private")
    assert judge_dialling(OSError("x"), HOST, Dial("connect", refusal=refusal)).error_class == "refused_address"
    assert judge_dialling(OSError("x"), HOST, Dial("connect", opened=1, refusal=refusal)).error_class == "connect"


@pytest.mark.parametrize(
    ("error", "step", "error_class"),
    [
        (OSError("no such name"), "dns", "dns"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "tls", "tls"),
        (ConnectionResetError(), "tls", "tls"),
        (ConnectionResetError(104, "reset"), "connect", "connect"),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), "connect", "connect"),
    ],
)
def test_where_it_failed_is_its_class(error, step, error_class):
    assert judge_dialling(error, HOST, Dial(step, opened=1)).error_class == error_class


@pytest.mark.parametrize(
    ("reason", "status", "error_class"),
    [
        (None, None, "reset"),
        (None, 200, "reset"),
        (ConnectionResetError(), None, "reset"),
        (ssl.SSLError(1, "a"), None, "tls"),
    ],
)
def test_an_end_before_the_answers_is_one(reason, status, error_class):
    failure = judge_ending(reason, status)
    assert failure.error_class == error_class
    assert ("body" in failure.text) == (status is not None)
