from __future__ import annotations

import asyncio
import threading
import time

import pytest

from sameface.errors import OverloadedError, RateLimitedError, RequestTimeoutError
from sameface.service.limits import PixelBudget, RateLimit, Workshop


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills():
    clock = Clock()
    limit = RateLimit(rate=2, burst=3, clock=clock)
    for _ in range(3):
        limit.take("a")
    with pytest.raises(RateLimitedError) as caught:
        limit.take("a")
    assert caught.value.retry_after == 1
    limit.take("b")  # somebody else's bucket
    clock.now = 0.5  # one token later
    limit.take("a")
    with pytest.raises(RateLimitedError):
        limit.take("a")
    clock.now = 1000.0  # never more than the burst
    for _ in range(3):
        limit.take("a")
    with pytest.raises(RateLimitedError):
        limit.take("a")


def test_remembering_is_bounded():
    limit = RateLimit(rate=1, burst=1, clock=Clock())
    for number in range(25_000):
        limit.take(f"address {number}")
    assert len(limit._buckets) <= 10_000


def test_the_workshop_answers_and_passes_errors_on():
    async def main() -> None:
        shop = Workshop(2, 2, 5, "test")
        assert await shop.run(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await shop.run(lambda: 1 / 0)
        await asyncio.sleep(0.01)
        assert shop.inside == 0
        shop.close()

    asyncio.run(main())


def test_what_does_not_fit_is_refused_at_once():
    async def main() -> None:
        shop, go = Workshop(1, 1, 5, "test"), threading.Event()
        first, second = (asyncio.create_task(shop.run(go.wait)) for _ in range(2))
        await asyncio.sleep(0.05)
        assert shop.inside == 2
        with pytest.raises(OverloadedError) as caught:
            await shop.run(go.wait)
        assert caught.value.retry_after == 1
        go.set()
        assert await first
        assert await second
        await asyncio.sleep(0.05)
        assert await shop.run(lambda: 1) == 1  # there is room again
        shop.close()

    asyncio.run(main())


def test_late_work_keeps_its_place_until_it_is_done():
    async def main() -> None:
        shop, go = Workshop(1, 0, 0.05, "test"), threading.Event()
        with pytest.raises(RequestTimeoutError):
            await shop.run(go.wait)
        with pytest.raises(OverloadedError):
            await shop.run(lambda: 1)
        go.set()
        await asyncio.sleep(0.05)
        assert await shop.run(lambda: 1) == 1
        shop.close()

    asyncio.run(main())


def test_a_stopped_workshop_refuses():
    async def main() -> None:
        shop = Workshop(1, 1, 1, "test")
        shop.close()
        with pytest.raises(OverloadedError, match="stopping"):
            await shop.run(lambda: 1)
        assert shop.inside == 0

    asyncio.run(main())


def test_pixels_of_many_photos_wait_for_each_other():
    budget, most, now, lock = PixelBudget(100), 0, 0, threading.Lock()

    def decode(pixels: int) -> None:
        nonlocal most, now
        with budget.hold(pixels):
            with lock:
                now += pixels
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= pixels

    threads = [threading.Thread(target=decode, args=(pixels,)) for pixels in (40, 60, 100, 30, 30, 30, 30, 90, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (now, most <= 100) == (0, True)


def test_one_photo_larger_than_the_budget_goes_alone():
    budget = PixelBudget(100)
    with budget.hold(1000):
        waiting = threading.Thread(target=lambda: budget.hold(1).__enter__())
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
