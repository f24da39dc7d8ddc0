"""Histories written out for tests, entry by entry in order of time."""

import numpy as np
import torch

from penchant._spec import History

__all__ = ["Entries", "history", "somebody"]

Entries = list[tuple[int, int, float]]
"""Item, liked and time, the oldest first."""


def history(users: list[Entries]) -> History:
    """Entries as the tables give them: in order of the items, with places and ages."""
    rows = []
    for user in users:
        last = max((time for *_, time in user), default=0.0)
        rows.append(sorted((item, liked, place, last - time) for place, (item, liked, time) in enumerate(user)))
    entries = np.array([entry for row in rows for entry in row], dtype=np.float64).reshape(-1, 4)
    item, liked, place, age = torch.from_numpy(entries).unbind(1)
    ends = torch.tensor([0, *np.cumsum([len(row) for row in rows])])
    return History(item.long(), liked.float(), torch.ones(len(item)), place.long(), age.float(), ends)


def somebody(n: int, rng: int = 0, n_items: int = 30) -> Entries:
    """n different items at whole times, some of them equal."""
    draw = np.random.default_rng(rng)
    times = np.sort(draw.integers(0, 2 * n + 1, n)).astype(float)
    return list(
        zip(draw.permutation(n_items)[:n].tolist(), draw.integers(0, 2, n).tolist(), times.tolist(), strict=True)
    )
