"""Figures of lists against plain loops over sets, scikit-learn, and cases worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from penchant.errors import ConfigError, DataError
from penchant.evaluation import (
    RANKING,
    Lists,
    average_precision,
    evaluate_ranking,
    evaluate_users,
    list_auc,
    ndcg,
    plain_recall,
    precision,
    recall,
    reciprocal_rank,
)

RANKS = 8


def oracle(shown: list[int], liked: set[int], k: int) -> dict[str, float]:
    """One user's figures from sets of items, prefix by prefix."""
    shown = shown[:k]
    found = len(liked & set(shown))
    prefixes = [(j, len(liked & set(shown[:j])) / j) for j in range(1, len(shown) + 1) if shown[j - 1] in liked]
    gain = sum(math.log(2) / math.log(j + 1) for j, _ in prefixes)
    best = sum(math.log(2) / math.log(j + 2) for j in range(len(liked)) if j < k)
    return {
        "recall": found / min(k, len(liked)),
        "plain_recall": found / len(liked),
        "precision": found / k,
        "hit": float(found > 0),
        "ndcg": gain / best,
        "map": sum(share for _, share in prefixes) / min(k, len(liked)),
        "mrr": 1 / prefixes[0][0] if prefixes else 0.0,
    }


def made(people) -> Lists:
    return Lists(
        ranked=np.array([shown + [-1] * (RANKS - len(shown)) for shown, _ in people], dtype=np.int64).reshape(
            -1, RANKS
        ),
        offsets=np.cumsum([0] + [len(liked) for _, liked in people]),
        items=np.array([item for _, liked in people for item in liked], dtype=np.int64),
    )


some = st.lists(st.integers(0, 14), unique=True)
people = st.lists(st.tuples(some.map(lambda items: items[:RANKS]), some), min_size=1, max_size=9)
cuts = st.integers(1, RANKS)


@settings(deadline=None)
@given(people, cuts)
def test_every_figure_is_what_loops_give(people, k):
    lists = made(people)
    found = evaluate_users(lists, k=k)
    assert list(found) == [f"{name}@{k}" for name in RANKING]
    wanted = [oracle(shown, set(liked), k) if liked else dict.fromkeys(RANKING, math.nan) for shown, liked in people]
    for name in RANKING:
        own = [one[name] for one in wanted]
        np.testing.assert_allclose(found[f"{name}@{k}"], own, rtol=1e-12, atol=1e-15)
        if any(liked for _, liked in people):
            assert evaluate_ranking(lists, k=k)[f"{name}@{k}"] == pytest.approx(np.nanmean(own), abs=1e-12)


@settings(deadline=None)
@given(people, cuts)
def test_figures_lie_between_0_and_1_and_the_right_one_is_larger(people, k):
    lists = made(people)
    found = {name: values[lists.relevant > 0] for name, values in evaluate_users(lists, k=k).items()}
    for values in found.values():
        assert ((values >= 0) & (values <= 1)).all()
    assert (found[f"recall@{k}"] >= found[f"plain_recall@{k}"]).all()
    assert (found[f"recall@{k}"] >= found[f"precision@{k}"]).all()
    assert (found[f"hit@{k}"] >= found[f"mrr@{k}"]).all()


@settings(deadline=None)
@given(people)
def test_longer_lists_find_no_less(people):
    lists = made(people)
    found = evaluate_users(lists, k=range(1, RANKS + 1), figures=["plain_recall", "hit", "mrr"])
    for name in ("plain_recall", "hit", "mrr"):
        rows = np.stack([found[f"{name}@{k}"] for k in range(1, RANKS + 1)])[:, lists.relevant > 0]
        assert (np.diff(rows, axis=0) >= 0).all()


@settings(deadline=None)
@given(people, cuts, st.integers(0, 1000))
def test_the_order_of_users_and_of_relevant_items_does_not_matter(people, k, seed):
    g = np.random.default_rng(seed)
    order = g.permutation(len(people))
    mixed = [(people[u][0], [people[u][1][j] for j in g.permutation(len(people[u][1]))]) for u in order]
    before, after = evaluate_users(made(people), k=k), evaluate_users(made(mixed), k=k)
    for name in before:
        np.testing.assert_array_equal(before[name][order], after[name])


@settings(deadline=None)
@given(st.lists(some.filter(bool), min_size=1), cuts)
def test_the_best_list_has_1(liked, k):
    rest = range(100, 100 + RANKS)
    lists = made([([*items, *rest][:RANKS], items) for items in liked])
    found = evaluate_ranking(lists, k=k, figures=["recall", "hit", "ndcg", "map", "mrr"])
    assert all(value == pytest.approx(1, abs=1e-12) and value <= 1 for value in found.values())
    worst = evaluate_ranking(made([(list(rest), items) for items in liked]), k=k)
    assert set(worst.values()) == {0.0}


def test_ndcg_is_scikit_learns():
    g = np.random.default_rng(3)
    score = g.random((200, 12))
    label = (g.random((200, 12)) < 0.3) | (np.arange(12) == g.integers(0, 12, (200, 1)))
    order = np.argsort(-score, axis=1)
    hit = np.take_along_axis(label, order, axis=1)
    for k in (1, 3, 12):
        own = ndcg(hit, label.sum(axis=1), k)
        assert own.mean() == pytest.approx(ndcg_score(label, score, k=k), abs=1e-12)


def test_a_case_by_hand():
    hit, relevant = np.array([[False, True, False, True], [False] * 4, [False] * 4]), np.array([3, 2, 0])
    nobody = math.nan
    np.testing.assert_array_equal(recall(hit, relevant, 2), [1 / 2, 0, nobody])
    np.testing.assert_array_equal(plain_recall(hit, relevant, 2), [1 / 3, 0, nobody])
    np.testing.assert_array_equal(precision(hit, relevant, 4), [1 / 2, 0, nobody])
    np.testing.assert_array_equal(average_precision(hit, relevant, 4), [(1 / 2 + 2 / 4) / 3, 0, nobody])
    np.testing.assert_array_equal(reciprocal_rank(hit, relevant, 4), [1 / 2, 0, nobody])
    log3, log5 = math.log2(3), math.log2(5)
    assert ndcg(hit, relevant, 4)[0] == pytest.approx((1 / log3 + 1 / log5) / (1 + 1 / log3 + 1 / 2))


def test_means_leave_out_users_without_relevant_items_but_not_empty_lists():
    lists = made([([1, 2], [1]), ([], [5]), ([3, 4], [])])
    assert evaluate_ranking(lists, k=[1, 2], figures=["recall"]) == {"recall@1": 0.5, "recall@2": 0.5}
    assert evaluate_ranking(lists, k=1, figures=["hit"]) == {"hit@1": 0.5}


@pytest.mark.parametrize("people", [[], [([1, 2], [])]])
def test_nothing_to_find_is_said(people):
    with pytest.raises(DataError, match=f"none of {len(people)} users has a relevant item"):
        evaluate_ranking(made(people), k=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"k": 9}, "k = 9: a whole number from 1 to the 8 ranks of the lists expected: rank more items, or fill up"),
        ({"k": 0}, "k = 0: a whole number from 1 to the 8 ranks of the lists expected$"),
        ({"k": []}, "k or figures are empty"),
        ({"figures": []}, "k or figures are empty"),
        ({"figures": ["ndgc"], "k": 1}, "figure 'ndgc' is not known: one of recall, plain_recall, precision"),
    ],
)
def test_options_that_cannot_be_met(options, said):
    with pytest.raises(ConfigError, match=said):
        evaluate_ranking(made([([1], [1])]), **options)


def test_more_hits_than_relevant_items_are_refused():
    with pytest.raises(DataError, match="user 1 has more hits than relevant items"):
        recall(np.array([[True, False], [True, True]]), np.array([1, 1]), 1)


@given(people=people)
def test_list_auc_counts_pairs_of_a_like_and_another_item(people):
    lists = made(people)
    size = np.array([len(shown) for shown, _ in people])
    found = list_auc(lists.hit, lists.relevant, size)
    for (shown, liked), value in zip(people, found, strict=True):
        place = {item: rank for rank, item in enumerate(shown)}
        others = [rank for item, rank in place.items() if item not in liked]
        wins = [place.get(item, RANKS + 1) < rank for item in liked for rank in others]
        assert value == pytest.approx(np.mean(wins)) if wins else np.isnan(value)
