"""Full ranking of 100,000 users over 100,000 items: users a second, and the memory of the process that does it.

Tables of a single row a user, a model of one epoch (64 axes, the 4-norm): what ranking costs depends on neither. Then
`Penchant.recommend` gives everybody's 100 best, block after block of users.

    python benchmarks/_ranking_throughput.py      one JSON object on standard output
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch
from _results import Row, over, peak_memory

from penchant import Field, Penchant, Schema, Space, Tables

__all__ = ["CASE", "measured", "rows_of_throughput"]

CASE = "100k x 100k"
_RANKS, _BLOCK = 100, 2048


def measured(n: int = 100_000) -> dict[str, float]:
    """users_per_s of a full ranking, and peak_mib of this process, training included."""
    torch.set_num_threads(1)
    tables = _tables(n)
    made = Penchant.preset("ranking", epochs=1, batch_size=8192, space=Space(dim=64), loss__beta=0.0, loss__delta=0.0)
    model = made.set_params(loss__negatives="uniform").fit(tables)
    began = time.perf_counter()
    ranked = 0
    for start in range(0, n, _BLOCK):
        users = tables.user_ids[start : start + _BLOCK].to_list()
        ranked += model.recommend(users, n=_RANKS).height
    seconds = time.perf_counter() - began
    assert ranked == n * min(_RANKS, n - 1), "everybody's best, without the one item each has met"
    return {"users_per_s": n / seconds, "peak_mib": peak_memory()}


def _tables(n: int) -> Tables:
    """n users and n items, each user with one like."""
    ids = pl.Series("id", range(n), dtype=pl.Int64)
    users, items = ids.to_frame("user"), ids.to_frame("item")
    likes = users.with_columns(item=np.random.default_rng(0).permutation(n), label=pl.lit(1, dtype=pl.Int8))
    fields = tuple(Field(name=side, side=side, kind="id") for side in ("user", "item"))
    schema = Schema(fields=fields, user="user", item="item", user_id="user", item_id="item")
    return Tables(schema, users, items, likes)


def rows_of_throughput() -> list[Row]:
    """Measured in a process of its own, whose memory nothing else takes."""
    command = [sys.executable, str(Path(__file__))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return over(CASE, "penchant", [json.loads(done.stdout)])


if __name__ == "__main__":
    print(json.dumps(measured()))
