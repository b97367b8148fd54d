"""The sender's bench, quick."""

import re

import pytest
from bench.sender import main


def test_a_quick_run_says_what_a_delivery_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--deliveries", "50", "--at-once", "3", "--rounds", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        micros, rate = re.fullmatch(r"([\d.]+) µs of processor time a delivery, ([\d,]+) a second", line).groups()
        assert float(micros) > 0
        assert int(rate.replace(",", "")) > 0
