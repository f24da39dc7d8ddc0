import asyncio
import threading
import time

import pytest

from penchant.service.batching import Batcher, Desk
from penchant.service.problems import Refused


@pytest.fixture
def desk():
    made = Desk(threads=1, patience_s=0.5)
    yield made
    made.close()


class Doubling:
    """Twice each number; waits until it may."""

    def __init__(self):
        self.batches, self.may = [], threading.Event()
        self.may.set()

    def __call__(self, numbers):
        self.batches.append(list(numbers))
        self.may.wait(10)
        return [ValueError(str(n)) if n < 0 else 2 * n for n in numbers]


def test_questions_that_come_together_are_computed_together(desk):
    compute = Doubling()
    batcher = Batcher(desk, compute, most=8, gather_s=0.01)

    async def main():
        return await asyncio.gather(*(batcher.ask(n) for n in range(20)))

    assert asyncio.run(main()) == [2 * n for n in range(20)]
    assert [len(batch) for batch in compute.batches] == [8, 8, 4]
    assert batcher.pending == 0


def test_questions_are_waited_for_while_they_keep_coming(desk):
    compute = Doubling()
    batcher = Batcher(desk, compute, most=100, gather_s=8.0)  # looks once a second

    async def main():
        loop, looks = asyncio.get_running_loop(), []
        loop.call_later = lambda delay, look, *given: looks.append((look, given)) or asyncio.Handle(look, given, loop)
        asked = [asyncio.ensure_future(batcher.ask(1))]
        for n in (2, 3):
            await asyncio.sleep(0)
            asked.append(asyncio.ensure_future(batcher.ask(n)))
            await asyncio.sleep(0)
            look, given = looks.pop()
            look(*given)
            assert (len(looks), compute.batches) == (1, [])
        look, given = looks.pop()
        look(*given)
        return await asyncio.gather(*asked)

    assert asyncio.run(main()) == [2, 4, 6]
    assert compute.batches == [[1, 2, 3]]


def test_an_error_is_its_own(desk):
    batcher = Batcher(desk, Doubling(), most=8)

    async def main():
        return await asyncio.gather(*(batcher.ask(n) for n in (1, -2, 3)), return_exceptions=True)

    one, two, three = asyncio.run(main())
    assert (one, three) == (2, 6)
    assert isinstance(two, ValueError)


def test_a_computation_that_fails_fails_all_and_the_next_goes_on(desk):
    calls = []

    def compute(numbers):
        calls.append(numbers)
        if len(calls) == 1:
            raise KeyboardInterrupt  # no Exception, as polars' panics
        return numbers

    batcher = Batcher(desk, compute)

    async def main():
        with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
            await batcher.ask(1)
        return await batcher.ask(2)

    assert asyncio.run(main()) == 2


def test_a_full_queue_refuses_and_says_when(desk):
    compute = Doubling()
    compute.may.clear()
    batcher = Batcher(desk, compute, most=1, queue=2)

    async def main():
        asked = [asyncio.ensure_future(batcher.ask(n)) for n in range(3)]
        await asyncio.sleep(0.02)
        with pytest.raises(Refused) as refused:
            await batcher.ask(9)
        compute.may.set()
        return refused.value, await asyncio.gather(*asked)

    refused, answers = asyncio.run(main())
    assert (refused.status_code, answers) == (503, [0, 2, 4])
    assert int(refused.headers["retry-after"]) >= 1
    assert desk.refused == 1


def test_who_would_wait_too_long_is_refused(desk):
    compute = Doubling()
    slow, quick = Batcher(desk, compute, queue=100), Batcher(desk, Doubling(), queue=100)
    slow.batch_s = 0.3

    async def main():
        compute.may.clear()
        asked = [asyncio.ensure_future(slow.ask(n)) for n in range(2)]
        await asyncio.sleep(0)
        assert desk.expected_s() == pytest.approx(0.6)
        with pytest.raises(Refused):
            await slow.ask(5)
        compute.may.set()
        first = await quick.ask(1)  # nothing of its kind waits: let in
        return first, await asyncio.gather(*asked)

    assert asyncio.run(main()) == (2, [0, 2])


def test_who_joins_a_batch_that_fills_does_not_wait_for_it(desk):
    compute = Doubling()
    batcher = Batcher(desk, compute, most=2, queue=100)
    batcher.batch_s = 0.4

    async def main():
        compute.may.clear()
        asked = [asyncio.ensure_future(batcher.ask(n)) for n in range(4)]  # two are computed, two wait
        await asyncio.sleep(0.02)
        with pytest.raises(Refused):
            await batcher.ask(9)
        batcher.line.pop().answer.cancel()
        asked.append(asyncio.ensure_future(batcher.ask(4)))
        await asyncio.sleep(0)
        compute.may.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    *answers, cancelled, last = asyncio.run(main())
    assert (answers, last) == ([0, 2, 4], 8)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert compute.batches == [[0, 1], [2, 4]]


def test_who_has_waited_too_long_is_refused_when_the_turn_comes():
    desk, compute = Desk(threads=1, patience_s=0.05), Doubling()
    batcher = Batcher(desk, compute, most=10)

    async def main():
        compute.may.clear()
        asked = [asyncio.ensure_future(batcher.ask(1))]
        await asyncio.sleep(0.01)
        asked += [asyncio.ensure_future(batcher.ask(n)) for n in (2, 3)]
        await asyncio.sleep(0.1)
        compute.may.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    first, refused, last = asyncio.run(main())
    assert (first, last) == (2, 6)
    assert refused.status_code == 503
    assert (desk.waiting, desk.refused, compute.batches) == (0, 1, [[1], [3]])
    desk.close()


def test_what_was_given_up_is_not_computed(desk):
    compute = Doubling()
    batcher = Batcher(desk, compute, most=1)

    async def main():
        compute.may.clear()
        first = asyncio.ensure_future(batcher.ask(1))
        await asyncio.sleep(0.02)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await batcher.ask(2)
        third = asyncio.ensure_future(batcher.ask(3))
        await asyncio.sleep(0)
        compute.may.set()
        return await asyncio.gather(first, third)

    assert asyncio.run(main()) == [2, 6]
    assert compute.batches == [[1], [3]]


def test_the_loop_is_never_held_up(desk):
    batcher = Batcher(desk, lambda numbers: time.sleep(0.2) or numbers)

    async def main():
        asked = asyncio.ensure_future(batcher.ask(1))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.001)
            turns += 1
        return turns

    assert asyncio.run(main()) > 20


def test_it_is_more_patient_while_disturbed_and_a_little_longer(desk, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("penchant.service.batching.time.monotonic", lambda: now[0])
    assert desk.patience_s == 0.5
    with desk.disturbed():
        with desk.disturbed():
            assert desk.patience_s == 1.0
        now[0] += 60
        assert desk.patience_s == 1.0
    assert desk.patience_s == 1.0
    now[0] += 1.01
    assert desk.patience_s == 0.5
    with pytest.raises(KeyError), desk.disturbed():
        raise KeyError
    now[0] += 1.01
    assert desk.patience_s == 0.5, "what failed is over too"


def test_those_who_come_are_waited_for(desk):
    batcher = Batcher(desk, Doubling(), most=8, queue=100)
    batcher.batch_s = 0.2
    desk.admit(batcher, coming=23)  # two batches are before its own
    with pytest.raises(Refused) as refused:
        desk.admit(batcher, coming=24)
    assert refused.value.headers["retry-after"] == "1"
    batcher.line.extend([None] * 12)
    batcher.pending = 12
    desk.admit(batcher, coming=11)
    with pytest.raises(Refused):
        desk.admit(batcher, coming=12)
    with pytest.raises(Refused):
        desk.admit(batcher, patience_s=60, coming=88)
