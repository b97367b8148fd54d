"""Wake-ups: a datagram is a hint, and nobody waits for it."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from elasticlake.delivery.wakeup import Heads, WakeupSender, listen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(os.path.relpath(tmp_path / "wake.sock"))


async def test_heads_and_plain_wakes_arrive(path: Path) -> None:
    heard: asyncio.Queue[Heads] = asyncio.Queue()
    transport = await listen(path, heard.put_nowait)
    sender = WakeupSender(path)
    sender({7: 3, 2**40: 2**50})
    sender()
    assert await asyncio.wait_for(heard.get(), 5) == {7: 3, 2**40: 2**50}
    assert await asyncio.wait_for(heard.get(), 5) == {}
    await sender.close()
    transport.close()


async def test_a_sender_without_a_listener_goes_on(path: Path) -> None:
    sender = WakeupSender(path)
    sender({1: 1})
    await sender.close()


async def test_a_sender_never_waits_for_a_full_buffer(path: Path) -> None:
    stuck = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stuck.bind(str(path))
    sender = WakeupSender(path)
    for sequence in range(10_000):
        sender({1: sequence})
    stuck.setblocking(False)
    held = 0
    with contextlib.suppress(BlockingIOError):
        while stuck.recv(4096):
            held += 1
    assert 0 < held < 10_000
    await sender.close()
    stuck.close()


async def test_a_socket_left_by_a_killed_dispatcher_is_replaced_and_private(path: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left.bind(str(path))
    heard: asyncio.Queue[Heads] = asyncio.Queue()
    transport = await listen(path, heard.put_nowait)
    assert path.stat().st_mode & 0o777 == 0o600
    sender = WakeupSender(path)
    sender({1: 2})
    assert await asyncio.wait_for(heard.get(), 5) == {1: 2}
    await sender.close()
    transport.close()
    left.close()


async def test_a_listener_that_comes_back_is_heard_by_the_same_sender(path: Path) -> None:
    sender = WakeupSender(path)
    for sequence in (1, 2):
        heard: asyncio.Queue[Heads] = asyncio.Queue()
        transport = await listen(path, heard.put_nowait)
        sender({1: sequence})
        assert await asyncio.wait_for(heard.get(), 5) == {1: sequence}
        transport.close()
        await asyncio.sleep(0)
        sender({1: 9})
    await sender.close()
