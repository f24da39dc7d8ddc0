"""Memory of a process that serves: what is free goes back, what was asked leaves nothing behind."""

import ctypes
import gc
import os
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from penchant.service import _memory
from penchant.service._memory import bound_free, give_back
from penchant.service.service import Service

GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


def resident() -> float:
    """Of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.skipif(not GLIBC, reason="another C library")
def test_what_is_free_goes_back_to_the_system():
    blocks = [b"x" * (32 << 10) for _ in range(2048)]  # 64 MiB
    kept = blocks[63::64]  # below each of which glibc keeps what is freed
    full = resident()
    del blocks
    assert give_back()
    assert full - resident() > 32
    assert len(kept) == 32


ENDS = """
import runpy, sys, threading
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def compute():  # in a heap of its own: many blocks at a time, most of which are gone afterwards
    largest = b"x" * (20 << 20)
    del largest  # glibc's own bound would now be 40 MiB
    blocks = [b"x" * (64 << 10) for _ in range(512)]
    del blocks
    b"x" * (100 << 10)
    print(resident() - before)

file, *bounded = sys.argv[1:]
assert runpy.run_path(file)["bound_free"]() == bool(bounded)
before = resident()
thread = threading.Thread(target=compute)
thread.start()
thread.join()
"""


def left(*words: str, **environ: str) -> float:
    """MiB that a thread's computations leave free at the end of its heap, in a process of its own."""
    command = [sys.executable, "-c", ENDS, _memory.__file__, *words]  # without penchant, which takes seconds
    return float(subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True).stdout)


@pytest.mark.skipif(not GLIBC, reason="another C library")
def test_little_is_kept_at_the_ends_of_heaps():
    assert left("bounded") < 20
    assert left(MALLOC_TRIM_THRESHOLD_="60000000", MALLOC_MMAP_THRESHOLD_="30000000") > 28  # whoever says so


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_left_alone(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    assert not give_back()
    assert not bound_free()


class Ring:
    """Refers to itself, so that only Python's search finds that nobody needs it."""

    def __init__(self) -> None:
        self.own = self


def test_garbage_made_after_the_heap_was_frozen_is_found_soon(settings):
    service = Service(settings)
    try:
        service.settle()
        ring = Ring()
        found = weakref.ref(ring)
        gc.collect(1)  # it has got old, as a question that waits does
        del ring
        filling = [[] for _ in range(120_000)]
        assert found() is None
        assert len(filling) == 120_000
    finally:
        gc.unfreeze()
        service.close()


def holders(names: list[str]) -> list[type]:
    """What kinds of objects refer to any of these strings, besides this list."""
    asked = set(names)
    return [
        type(one)
        for one in gc.get_objects()
        if one is not names and one is not asked
        and any(type(part) is str and part in asked for part in gc.get_referents(one))
    ]  # fmt: skip


def lasting(names: list[str]) -> list[type]:
    """Those that still are when all threads have had time to let go."""
    found: list[type] = []
    for _ in range(40):
        gc.collect()
        found = holders(names)
        if not found:
            break
        time.sleep(0.1)
    return found


def test_new_users_are_not_remembered(settings, run, tmp_path):
    store = f"sqlite:///{tmp_path / 'events.db'}"
    with run(replace(settings, store=store, patience_s=60.0, deadline_s=120.0)) as one:
        for number in range(16):
            name = f"nobody {number}"
            event = {"id": f"shown {number}", "user": name, "item": "i1", "label": 1, "time": 1.7e9}
            answers = [
                one.ask("/v1/events", {"events": [event]}),
                one.ask("/v1/recommend", {"user": name, "n": 2}),
                one.ask(f"/v1/interest/{name}"),
            ]
            assert [answer.status_code for answer in answers] == [200] * 3
        for said in ("nobody", "shown"):
            assert not lasting([f"{said} {number}" for number in range(12)])  # the latest may be on their way yet
