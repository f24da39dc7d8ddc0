"""Questions to answers as JSON, many at a time: what the threads of the service compute.

Questions that are alike but for the user are put to the model together. Each answer is what the question alone would
have got, up to the rounding of float32 (numbers are given to six digits, of which the last may differ); a question that
cannot be answered does not touch the others of its batch.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from penchant.errors import ConfigError
from penchant.estimator.certifying import ranges_of
from penchant.estimator.fitted import Fitted, SideName
from penchant.estimator.moving import Following
from penchant.estimator.portraying import Reach, portraits_of
from penchant.estimator.queries import Ranking, ranked, resolve, subject
from penchant.service._json import dump
from penchant.service.diversity import diverse
from penchant.service.messages import (
    AudienceQuestion,
    ExplainQuestion,
    GroupQuestion,
    PortraitQuestion,
    RecommendQuestion,
    RelatedQuestion,
)
from penchant.service.models import Arm, Loaded
from penchant.tables.conditions import check_where

__all__ = ["Asked", "explain_one", "group_one", "predict_many", "read_many", "recommend_many", "related_one"]

_WIDER = 5
"""A diverse list is chosen from so many times its length."""
_SAID = ("false", "true")


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


class _List(NamedTuple):
    """The items of one user, the best first."""

    item: Int[np.ndarray, " n"]
    """Row numbers."""
    score: Float[np.ndarray, " n"]
    distance: Float[np.ndarray, " n"]
    inside: Bool[np.ndarray, " n"]

    def at(self, places: Any) -> "_List":
        """Some of them."""
        return _List(*(column[places] for column in self))


def _recommended(group: list[Asked]) -> list[bytes]:
    loaded, first = group[0].loaded, group[0].question
    if first.where is not None:
        check_where(first.where, loaded.fitted.known["item"].frame.columns)
    users = [one.question.user for one in group]
    lists = _lists(loaded.fitted, users, max(_needed(one.question) for one in group), first)
    return [_listed(one, found) for one, found in zip(group, lists, strict=True)]


def _needed(question: RecommendQuestion) -> int:
    return question.n * _WIDER if question.diversity else question.n


def _lists(fitted: Fitted, users: list[Any], n: int, options: RecommendQuestion) -> list[_List]:
    """The ranking of each user, who may be asked about twice."""
    of_rows = isinstance(users[0], Mapping)
    keys = list(range(len(users))) if of_rows else _keys(fitted, users)
    every = list(dict.fromkeys(keys))
    found = _ranking(fitted, users if of_rows else every, n, options)
    ends = np.searchsorted(found.query, np.arange(len(every) + 1))
    columns = (found.item, found.score, found.distance, found.inside)
    lists = [_List(*(column[a:b] for column in columns)) for a, b in pairwise(ends)]
    by_key = dict(zip(every, lists, strict=True))
    return [by_key[key] for key in keys]


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


def _ranking(fitted: Fitted, who: list[Any], n: int, options: RecommendQuestion) -> Ranking:
    return ranked(
        fitted,
        who,
        n=n,
        exclude_seen=options.exclude_seen,
        candidates=None if options.candidates is None else _alike(options.candidates),
        where=options.where,
        context=options.context,
    )


_ENTRY = '{"rank":%d,%s,"score":%.6g,"distance":%.6g,"inside":%s}'


def _listed(one: Asked, found: _List) -> bytes:
    q: RecommendQuestion = one.question
    pieces = one.loaded.pieces
    if q.inside_only:
        found = found.at(found.inside)
    if q.diversity and len(found.item):
        found = found.at(_spread(one.loaded.fitted, found, q))
    item, score, distance, inside = (column[: q.n].tolist() for column in found)
    values: list[Any] = [None] * (5 * len(item))
    values[0::5], values[1::5] = range(1, len(item) + 1), [pieces[row] for row in item]
    values[2::5], values[3::5], values[4::5] = score, distance, [_SAID[here] for here in inside]
    items = ",".join([_ENTRY] * len(item)) % tuple(values)
    return f'{{"items":[{items}],{one.ending}'.encode()


def _spread(fitted: Fitted, found: _List, q: RecommendQuestion) -> Any:
    points = fitted.points("item", found.item)
    between = fitted.model.space.base_distance(points[:, None], points[None]).double().cpu().numpy()
    return diverse(found.distance, between, q.n, q.diversity)


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


# ---------------------------------------------------------------------- portraits


def read_many(asked: Sequence[Asked]) -> Answers:
    """See `PortraitQuestion` and `AudienceQuestion`."""
    return _each(asked, _read_alike, _read)


def _read_alike(one: Asked) -> Hashable:
    q: PortraitQuestion | AudienceQuestion = one.question
    who = _subject(one)
    kind = Mapping if isinstance(who, Mapping) else type(who)
    return (id(one.loaded), type(q), kind, _reach(q), q.examples, q.details, q.source, q.ranges)


def _subject(one: Asked) -> Any:
    q: PortraitQuestion | AudienceQuestion = one.question
    return q.user if isinstance(q, PortraitQuestion) else q.item


def _reach(q: PortraitQuestion | AudienceQuestion) -> Reach:
    return Reach(probability=q.probability, core=q.core, distance=q.distance)


def _read(group: list[Asked]) -> list[bytes]:
    q: PortraitQuestion | AudienceQuestion = group[0].question
    fitted, model = group[0].loaded.fitted, group[0].loaded.model
    side: SideName = "user" if isinstance(q, PortraitQuestion) else "item"
    every = [_subject(one) for one in group]
    found = resolve(fitted, side, every)
    names = [subject(fitted, side, who, found.at(number)) for number, who in enumerate(every)]
    portraits = portraits_of(
        fitted, side, found, names, examples=q.examples, reach=_reach(q), details=q.details, source=q.source,
        trained=model._trained, rng=model.rng,
    )  # fmt: skip
    answers: dict[str, list[Any]] = {"portrait": [portrait.to_dict() for portrait in portraits]}
    if q.ranges:
        radii = [portrait.ball.distance for portrait in portraits]
        answers["ranges"] = [ranges.to_dicts() for ranges in ranges_of(fitted, side, found, radii)]
    each = zip(*answers.values(), strict=True)
    return [_ended(one, dict(zip(answers, own, strict=True))) for one, own in zip(group, each, strict=True)]


# ---------------------------------------------------------------------- one at a time


def explain_one(asked: Sequence[Asked]) -> Answers:
    """See `ExplainQuestion`."""
    return _each(asked, id, lambda group: [_explained(group[0])])


def _explained(one: Asked) -> bytes:
    q: ExplainQuestion = one.question
    answer = one.loaded.model.explain(q.user, q.item, only=q.only, max_changes=q.max_changes)
    return _ended(one, {"explanation": answer.to_dict()})


def group_one(asked: Sequence[Asked]) -> Answers:
    """See `GroupQuestion`."""
    return _each(asked, id, lambda group: [_together(group[0])])


def _together(one: Asked) -> bytes:
    q: GroupQuestion = one.question
    fitted = one.loaded.fitted
    if q.where is not None:
        check_where(q.where, fitted.known[q.side].frame.columns)
    members = None if q.members is None else list(dict.fromkeys(_alike(list(q.members))))
    answer = one.loaded.model.group(members, where=q.where, side=q.side, probability=q.probability, examples=q.examples)
    return _ended(one, {"group": answer.to_dict()})


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
