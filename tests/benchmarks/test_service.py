import asyncio
import random

import pytest


@pytest.fixture(scope="module")
def loads(benchmark_module):
    return benchmark_module("_service_load")


@pytest.fixture(scope="module")
def hostile(benchmark_module):
    return benchmark_module("service").hostile


def test_quantiles(loads):
    quantile = loads.quantile
    values = [float(n) for n in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([3.0], 0.99)) == (51.0, 100.0, 3.0)


def test_what_counts_as_failed(loads):
    load = loads.Load(seconds=2.0, statuses={"200": 4, "503": 3, "429": 1, "500": 2, "0": 1}, times_ms=[1.0] * 4)
    assert (load.failed, load.per_second) == (3, 2.0)


@pytest.mark.parametrize("rate", [None, 100.0])
def test_a_server_is_loaded(loads, rate):
    """Every other answer is a refusal, and every third connection is closed after it."""
    asked_for = []

    async def serve(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            asked_for.append(await reader.readexactly(length))
            status = b"200 OK" if len(asked_for) % 2 else b"503 Busy"
            close = b"connection: close\r\n" if len(asked_for) % 3 == 0 else b""
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n" + close + b"\r\n{}")
            if close:
                break
        writer.close()

    async def main():
        async def guarded(reader, writer):
            try:
                await serve(reader, writer)
            except asyncio.IncompleteReadError:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        load = await loads.asked(url, ["a", "bb"], callers=3, seconds=0.2, rate=rate)
        await asyncio.sleep(0.02)  # until the server has seen that its callers are gone
        server.close()
        return load

    load = asyncio.run(main())
    assert load.failed == 0
    assert sum(load.statuses.values()) == len(asked_for) > 5
    assert len(load.times_ms) == load.statuses["200"]
    assert set(asked_for) == {b"a", b"bb"}


def test_hostile_bodies_are_the_same_each_time(hostile):
    one, other = ([hostile(source) for _ in range(200)] for source in (random.Random(1), random.Random(1)))
    assert one == other
    assert len(set(one)) > 150
