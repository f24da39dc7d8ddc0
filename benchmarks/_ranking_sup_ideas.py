"""Ways to rank by the sup norm as well as by the 4-norm: case ``SG-100K sup norm ideas``, fold 0.

What is read from one fitted 4-norm model (points e, distance d) without more training:

    read by the sup norm            the same points, max_j |x_j − y_j|; and after a random rotation
    distances to items as axes      e_x = (d(x, a_j))_j: exact with all items (`_ranking_sup`), else to landmarks,
                                    those liked most or those far from one another
    supporting functionals          ‖v‖_4 = max of w·v over ‖w‖_{4/3} ≤ 1: the w of random user–item pairs, as axes

What is trained anew: the sup norm itself; the 8-norm, read by itself or by the sup norm; the 1-norm in 8 axes, where
‖v‖_1 = max over signs of s·v is a sup norm on 2^7 axes, exactly.

Source: Kuratowski 1935, Fund. Math. 25; Matoušek, Lectures on Discrete Geometry (2002), §15.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from _ranking_models import OURS, model
from _results import Row, over
from torch import Tensor

from penchant import Penchant, Space
from penchant.evaluation import Task, fit_on, ndcg, recall

__all__ = ["CASE", "Wanted", "farthest", "functionals", "read", "rows_of_ideas", "signs", "sup"]

CASE = "SG-100K sup norm ideas"
_FROM = "SG-100K"
_RANKS = 100

Idea = tuple[str, Tensor, Tensor]
"""Its name, and the points of users and items that the sup norm compares."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Test users by their past, and what is to be found."""

    pasts: list[list[object]]
    """Ids of liked items."""
    known: Tensor
    """(n, m) bool: given, no answer."""
    wanted: Tensor
    """(n, m) bool."""

    @classmethod
    def of(cls, task: Task) -> "Wanted":
        """Users of the test rows, in order."""
        given = task.given_of(task.test)
        assert given is not None, "users are asked by their past"
        user, item = keys = [task.test.schema.user, task.test.schema.item]
        users = task.test.interactions[user].unique().sort()
        pasts = given.interactions.group_by(user).agg(item)
        asked = pl.DataFrame({user: users}).join(pasts, on=user, how="left", maintain_order="left")
        masks = (_mask(part.interactions.select(keys), users, task.test.item_ids) for part in (given, task.test))
        return cls(asked[item].to_list(), *masks)

    def figures(self, distance: Tensor) -> dict[str, float]:
        """NDCG@100 and recall@20 of a ranking by these distances."""
        n = min(_RANKS, distance.shape[1])
        top = distance.masked_fill(self.known, math.inf).sort(dim=1, stable=True).indices[:, :n]
        hit, relevant = self.wanted.gather(1, top).numpy(), self.wanted.sum(1).numpy()
        found = {"ndcg@100": ndcg(hit, relevant, n), "recall@20": recall(hit, relevant, min(20, n))}
        return {name: float(np.mean(values)) for name, values in found.items()}


def _mask(pairs: pl.DataFrame, users: pl.Series, items: pl.Series) -> Tensor:
    """Pairs of user and item as a table of yes and no."""
    mask = np.zeros((len(users), len(items)), dtype=bool)
    rows = (
        column.replace_strict(ids, pl.int_range(len(ids), eager=True)).to_numpy()
        for column, ids in zip(pairs, (users, items), strict=True)
    )
    mask[tuple(rows)] = True
    return torch.from_numpy(mask)


def sup(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) sup-norm distances."""
    return torch.cdist(x, y, p=math.inf)


def read(fitted: Penchant, task: Task, wanted: Wanted) -> Iterator[Idea]:
    """What can be done with the points of one 4-norm model."""
    users, items = _points(fitted, task, wanted)
    to_items, among = _distances(fitted, users, items)
    yield "4-norm points", users, items
    turn = torch.linalg.qr(torch.randn(users.shape[1], users.shape[1], generator=_seeded())).Q
    yield "4-norm points, rotated", users @ turn, items @ turn
    yield "distances to all items as axes", to_items, among
    liked = _most_liked(task)
    for n in (64, 256):
        if n < len(items):
            far = farthest(among, n)
            yield f"distances to the {n} most liked items as axes", to_items[:, liked[:n]], among[:, liked[:n]]
            yield f"distances to {n} far items as axes", to_items[:, far], among[:, far]
    known = torch.from_numpy(fitted.encode("user", task.train.interactions[task.train.schema.user].unique().to_list()))
    for n in (256, 1024, 4096):
        w = functionals(known, items, n)
        yield f"{n} supporting functionals as axes", users @ w.T, items @ w.T


def _trained(dim: int, norm: float, task: Task, wanted: Wanted) -> tuple[Tensor, Tensor, Tensor]:
    """Points of users and items, and their distances, of penchant in another space."""
    fitted = fit_on(model(_FROM, OURS).set_params(space=Space(dim=dim, norm=norm)), task)
    assert isinstance(fitted, Penchant)
    users, items = _points(fitted, task, wanted)
    return users, items, _distances(fitted, users, items)[0]


def _points(fitted: Penchant, task: Task, wanted: Wanted) -> tuple[Tensor, Tensor]:
    """Points of the users asked about, and of all items."""
    past = fitted.schema_.history
    assert past is not None, "users are asked by their past"
    users = fitted.encode("user", [{past.name: {"liked": liked}} for liked in wanted.pasts])
    return torch.from_numpy(users), torch.from_numpy(fitted.encode("item", task.test.item_ids.to_list()))


def _distances(fitted: Penchant, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Of users to items, and among items."""
    return fitted.space_.cross(users, items), fitted.space_.cross(items, items).fill_diagonal_(0.0)


def signs(k: int) -> Tensor:
    """(2^(k−1), k): every vector of signs, one of each pair s, −s: max_s |s·v| = ‖v‖_1."""
    return torch.tensor([(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=k - 1)])


def functionals(users: Tensor, items: Tensor, n: int, r: float = 4.0) -> Tensor:
    """(n, k): w with ‖w‖_q = 1, 1/q + 1/r = 1, and w·v = ‖v‖_r for v = user − item of random pairs: ∇‖v‖_r."""
    g = _seeded()
    v = users[torch.randint(len(users), (n,), generator=g)] - items[torch.randint(len(items), (n,), generator=g)]
    w = v.sign() * v.abs().pow(r - 1)
    return w / v.abs().pow(r).sum(1, keepdim=True).pow((r - 1) / r).clamp(min=1e-12)


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def farthest(among: Tensor, n: int) -> Tensor:
    """Rows of n items, each the farthest from those before (the first: row 0).

    Source: Gonzalez 1985, doi 10.1016/0304-3975(85)90224-5.
    """
    chosen = [0]
    nearest = among[0].clone()
    while len(chosen) < n:
        chosen.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, among[chosen[-1]])
    return torch.tensor(chosen)


def _most_liked(task: Task) -> Tensor:
    """Rows of the items, the most liked first."""
    item = task.train.schema.item
    counts = task.train.interactions.group_by(item).len("n")
    likes = pl.DataFrame({item: task.test.item_ids}).join(counts, on=item, how="left", maintain_order="left")["n"]
    return torch.from_numpy(np.argsort(-likes.fill_null(0).to_numpy().astype(np.int64), kind="stable"))


def rows_of_ideas(task: Task) -> list[Row]:
    """Every idea's figures on the test of one fold, and its number of axes."""
    wanted = Wanted.of(task)
    rows: list[Row] = []

    def note(name: str, distance: Tensor, axes: int) -> None:
        found = wanted.figures(distance)
        rows.extend(over(CASE, name, [{**found, "axes": axes}]))
        print(f"{CASE}, {name}: {found['ndcg@100']:.4f}", flush=True)

    four = fit_on(model(_FROM, OURS), task)
    assert isinstance(four, Penchant)
    for name, users, items in read(four, task, wanted):
        if not rows:
            note("4-norm", _distances(four, users, items)[0], users.shape[1])
        note(f"{name}, sup norm", sup(users, items), users.shape[1])
    _, _, distance = _trained(32, math.inf, task, wanted)
    note("trained by the sup norm", distance, 32)
    users, items, distance = _trained(64, 8.0, task, wanted)
    note("8-norm", distance, 64)
    note("8-norm points, sup norm", sup(users, items), 64)
    users, items, _ = _trained(8, 1.0, task, wanted)
    s = signs(8)
    note("1-norm in 8 axes as a sup norm, all signs as axes", sup(users @ s.T, items @ s.T), len(s))
    return rows
