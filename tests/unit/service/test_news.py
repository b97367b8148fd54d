"""Who is told of what."""

import asyncio

from elasticlake.metadata.database import Committed
from elasticlake.service.news import News, wait


async def test_who_waits_for_a_bucket_hears_of_that_one_alone() -> None:
    news = News(60)
    with news.about(1) as first, news.about(1) as second, news.about(2) as other:
        news.tell({1: 5})
        assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)
        news.end()
        assert other.is_set()
    assert news.is_over


async def test_who_hears_everything_hears_it_until_he_leaves() -> None:
    news, heard = News(60), list[Committed]()
    news.join(heard.append)
    news.tell({1: 5, 2: 6})
    news.end()
    news.leave(heard.append)
    news.tell({1: 7})
    assert heard == [{1: 5, 2: 6}, {}]


async def test_a_wait_ends_with_the_news_or_with_its_time() -> None:
    woken = asyncio.Event()
    await wait(woken, 0.01)
    waiting = asyncio.create_task(wait(woken, 60))
    woken.set()
    async with asyncio.timeout(5):
        await waiting
