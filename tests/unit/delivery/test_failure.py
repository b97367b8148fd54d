"""What statuses, deadlines and shortages of our own become."""

from __future__ import annotations

import errno

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from elasticlake.delivery.dialer import Dial
from elasticlake.delivery.failure import ERROR_CLASSES, judge_status, judge_transport, timed_out
from elasticlake.errors import Unavailable

KEY = ConnectionKey("myapp.test", 443, True, True, None, None, None)


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
        judge_transport(aiohttp.ClientConnectorError(KEY, shortage), Dial("https"))
    with pytest.raises(Unavailable):
        judge_transport(
            aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions")), Dial("https", local_fault=shortage)
        )


def test_an_unreachable_receiver_is_one():
    error = aiohttp.ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, "No route to host"))
    assert judge_transport(error, Dial("https", opened=1)).error_class == "connect"
