import asyncio
import json

from prometheus_client import CollectorRegistry, Counter

from penchant.service.batching import Batcher, Desk
from penchant.service.shadow import agreement, compare


def items(*names):
    return json.dumps({"items": [{"item": name} for name in names]}).encode()


def test_how_answers_agree():
    assert agreement(items("a", "b"), items("a", "b")) == "same"
    assert agreement(items("a", "b"), items("b", "a")) == "most"
    assert agreement(items("a", "b", "c"), items("d", "e", "c")) == "other"
    assert agreement(items(), items()) == "same"
    assert agreement(items(), items("a")) == "other"
    yes, no = ({"predictions": [{"liked": liked}] * 3} for liked in (True, False))
    assert agreement(json.dumps(yes).encode(), json.dumps(no).encode()) == "other"


def test_a_second_model_that_fails_is_counted():
    counts = Counter("shadow", "", ["result"], registry=CollectorRegistry())
    desk = Desk(threads=1, patience_s=1)

    def compute(asked):
        return [ValueError() if one is None else items(one) for one in asked]

    batcher = Batcher(desk, compute)

    async def main():
        await compare(batcher, "a", items("a"), counts)
        await compare(batcher, None, items("a"), counts)

    asyncio.run(main())
    desk.close()
    assert counts.labels("same")._value.get() == counts.labels("failed")._value.get() == 1
