"""Questions to answers as JSON, many at a time: what the threads of the service compute.

Questions that are alike but for the user are put to the model together. Each answer is what the question alone would
have got, up to the rounding of float32 (numbers are given to six digits, of which the last may differ); a question that
cannot be answered does not touch the others of its batch.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from penchant.errors import ConfigError
from penchant.estimator.fitted import Fitted, SideName
from penchant.estimator.moving import Following
from penchant.estimator.queries import recommend, resolve
from penchant.service._json import dump
from penchant.service.diversity import diverse
from penchant.service.messages import (
    AudienceQuestion,
    ExplainQuestion,
    PortraitQuestion,
    RecommendQuestion,
    RelatedQuestion,
)
from penchant.service.models import Arm, Loaded
from penchant.tables.conditions import check_where

__all__ = ["Asked", "explain_one", "predict_many", "read_one", "recommend_many", "related_one"]

_WIDER = 5
"""A diverse list is chosen from so many times its length."""


@dataclass(frozen=True)
class Asked:
    """A question, and the model that it is for."""

    question: Any
    loaded: Loaded
    arm: Arm = "first"

    @cached_property
    def ending(self) -> str:
        """The end of an answer: which model gave it."""
        return f'"model":{{"version":"{self.loaded.version}","arm":"{self.arm}"}}}}'


Answers = list[bytes | BaseException]


def _by(asked: Sequence[Asked], key: Callable[[Asked], Hashable]) -> dict[Hashable, list[int]]:
    """The places of questions that are alike."""
    groups: dict[Hashable, list[int]] = {}
    for place, one in enumerate(asked):
        groups.setdefault(key(one), []).append(place)
    return groups


def _each(
    asked: Sequence[Asked], alike: Callable[[Asked], Hashable], answer: Callable[[list[Asked]], list[bytes]]
) -> Answers:
    """Answers group by group; of a group with a question that cannot be answered, one by one."""
    answers: Answers = [ConfigError("not answered")] * len(asked)
    for places in _by(asked, alike).values():
        group = [asked[place] for place in places]
        for place, got in zip(places, _tried(group, answer), strict=True):
            answers[place] = got
    return answers


def _tried(group: list[Asked], answer: Callable[[list[Asked]], list[bytes]]) -> Answers:
    try:
        return list(answer(group))
    except (Exception, pl.exceptions.PanicException) as error:  # a panic is no Exception
        return [error] if len(group) == 1 else [got for one in group for got in _tried([one], answer)]


# ---------------------------------------------------------------------- recommend


def recommend_many(asked: Sequence[Asked]) -> Answers:
    """See `RecommendQuestion`."""
    return _each(asked, _ranked_alike, _recommended)


def _ranked_alike(one: Asked) -> Hashable:
    q: RecommendQuestion = one.question
    candidates = None if q.candidates is None else tuple(q.candidates)
    context = None if q.context is None else dump(q.context)
    return (id(one.loaded), isinstance(q.user, Mapping), q.exclude_seen, candidates, q.where, context)


def _recommended(group: list[Asked]) -> list[bytes]:
    loaded, first = group[0].loaded, group[0].question
    if first.where is not None:
        check_where(first.where, loaded.fitted.known["item"].frame.columns)
    users = [one.question.user for one in group]
    lists = _lists(loaded.fitted, users, max(_needed(one.question) for one in group), first)
    return [_listed(one, found) for one, found in zip(group, lists, strict=True)]


def _needed(question: RecommendQuestion) -> int:
    return question.n * _WIDER if question.diversity else question.n


def _lists(fitted: Fitted, users: list[Any], n: int, options: RecommendQuestion) -> list[pl.DataFrame]:
    """The ranking of each user, who may be asked about twice."""
    of_rows = isinstance(users[0], Mapping)
    keys: list[Any]
    if of_rows:
        keys = every = list(range(len(users)))
    else:
        keys = _keys(fitted, users)
        every = list(dict.fromkeys(keys))
    frame = _ranking(fitted, users if of_rows else every, n, options)
    starts = np.flatnonzero(frame["rank"].to_numpy() == 1)
    ends = [*starts[1:], frame.height][: len(starts)]
    there = every if len(starts) == len(every) else [frame[int(start), 0] for start in starts]  # some have none left
    found = {key: frame[int(a) : int(b)] for key, a, b in zip(there, starts, ends, strict=True)}
    return [found.get(key, frame.clear()) for key in keys]


def _keys(fitted: Fitted, users: list[Any]) -> list[Any]:
    """Ids in the type of the table's; with a store, they may be of users who are in it alone."""
    if fitted.follower is not None:
        own = fitted.follower.own if isinstance(fitted.follower, Following) else lambda user: user
        return _alike([own(user) for user in users])
    vocabulary = fitted.known["user"].vocabulary
    return vocabulary.take(vocabulary.rows(_alike(users))).to_list()


def _alike(ids: list[Any]) -> list[Any]:
    """Ids of one type: whole numbers, or text, which stands for numbers too."""
    return ids if len({type(one) for one in ids}) < 2 else [str(one) for one in ids]


def _ranking(fitted: Fitted, who: list[Any], n: int, options: RecommendQuestion) -> pl.DataFrame:
    return recommend(
        fitted,
        who,
        n=n,
        exclude_seen=options.exclude_seen,
        candidates=None if options.candidates is None else _alike(options.candidates),
        where=options.where,
        context=options.context,
    )


def _listed(one: Asked, found: pl.DataFrame) -> bytes:
    q: RecommendQuestion = one.question
    fitted, pieces = one.loaded.fitted, one.loaded.pieces
    if q.inside_only:
        found = found.filter("inside")
    if q.diversity and found.height:
        found = found[_spread(fitted, found, q)]
    found = found.head(q.n)
    columns = (found[fitted.key("item")], found["score"], found["distance"], found["inside"])
    items = ",".join(
        f'{{"rank":{rank},{pieces[item]},"score":{score:.6g},"distance":{distance:.6g},"inside":{str(inside).lower()}}}'
        for rank, (item, score, distance, inside) in enumerate(
            zip(*(column.to_list() for column in columns), strict=True), 1
        )
    )
    return f'{{"items":[{items}],{one.ending}'.encode()


def _spread(fitted: Fitted, found: pl.DataFrame, q: RecommendQuestion) -> Any:
    known = fitted.known["item"]
    points = fitted.points("item", known.vocabulary.rows(found[fitted.key("item")]))
    between = fitted.model.space.base_distance(points[:, None], points[None]).double().cpu().numpy()
    return diverse(found["distance"].to_numpy(), between, q.n, q.diversity)


# ---------------------------------------------------------------------- predict


def predict_many(asked: Sequence[Asked]) -> Answers:
    """See `messages.PredictQuestion`."""
    return _each(asked, lambda one: (id(one.loaded), dump(one.question.context)), _predicted)


@torch.no_grad()
def _predicted(group: list[Asked]) -> list[bytes]:
    fitted = group[0].loaded.fitted
    pairs = [pair for one in group for pair in one.question.pairs]
    users = _points(fitted, "user", [pair.user for pair in pairs], group[0].question.context)
    items = _points(fitted, "item", [pair.item for pair in pairs])
    base = fitted.model.space.base_distance(users, items).double().cpu().numpy()
    probability, liked = fitted.calibration.probability(base), base <= fitted.calibration.threshold
    said = [
        f'{{"liked":{str(yes).lower()},"probability":{p:.6g},"distance":{d:.6g}}}'
        for yes, p, d in zip(liked.tolist(), probability.tolist(), base.tolist(), strict=True)
    ]
    ends = np.cumsum([len(one.question.pairs) for one in group])
    starts = [0, *ends[:-1]]
    return [
        f'{{"predictions":[{",".join(said[a:b])}],{one.ending}'.encode()
        for one, a, b in zip(group, starts, ends, strict=True)
    ]


def _points(
    fitted: Fitted, side: SideName, who: list[Any], context: Mapping[str, Any] | None = None
) -> Float[Tensor, "n k"]:
    """Points of ids and rows of features, mixed, in order."""
    of_rows = np.array([isinstance(one, Mapping) for one in who])
    points = torch.zeros(len(who), fitted.model.space.dim, device=fitted.device)
    for kind in (False, True):
        places = np.flatnonzero(of_rows == kind)
        if len(places):
            some = [who[place] for place in places]
            found = resolve(fitted, side, some if kind else _alike(some), context).points
            points[torch.as_tensor(places, device=fitted.device)] = found
    return points


# ---------------------------------------------------------------------- one at a time


def read_one(asked: Sequence[Asked]) -> Answers:
    """See `PortraitQuestion` and `AudienceQuestion`."""
    return _each(asked, id, lambda group: [_read(group[0])])


def _read(one: Asked) -> bytes:
    q: PortraitQuestion | AudienceQuestion = one.question
    model = one.loaded.model
    side: SideName = "user" if isinstance(q, PortraitQuestion) else "item"
    who = q.user if isinstance(q, PortraitQuestion) else q.item
    ask = model.portrait if side == "user" else model.audience
    reach: dict[str, Any] = {"probability": q.probability, "core": q.core, "distance": q.distance}
    answer = ask(who, examples=q.examples, details=q.details, source=q.source, **reach)
    content: dict[str, Any] = {"portrait": answer.to_dict()}
    if q.ranges:
        content["ranges"] = model.ranges(who, side=side, **reach).to_dicts()
    return _ended(one, content)


def explain_one(asked: Sequence[Asked]) -> Answers:
    """See `ExplainQuestion`."""
    return _each(asked, id, lambda group: [_explained(group[0])])


def _explained(one: Asked) -> bytes:
    q: ExplainQuestion = one.question
    answer = one.loaded.model.explain(q.user, q.item, only=q.only, max_changes=q.max_changes)
    return _ended(one, {"explanation": answer.to_dict()})


def related_one(asked: Sequence[Asked]) -> Answers:
    """See `RelatedQuestion`."""
    return _each(asked, id, lambda group: [_near(group[0])])


def _near(one: Asked) -> bytes:
    q: RelatedQuestion = one.question
    fitted = one.loaded.fitted
    found = one.loaded.model.related(user=q.user, item=q.item, to=q.to, n=q.n)
    key, name = fitted.key(q.to), fitted.name_column(q.to)
    names = {key: "id"} | ({name: "name"} if name in found.columns and name != key else {})
    return _ended(one, {"related": found.rename(names).to_dicts()})


def _ended(one: Asked, content: Mapping[str, Any]) -> bytes:
    return dump(content)[:-1] + b"," + one.ending.encode()
