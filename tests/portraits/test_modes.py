import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError
from penchant.portraits._clusters import separate_groups, weighted_kmeans
from penchant.portraits.modes import find_modes
from penchant.spaces import UniformSpace
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame(
    {
        "length": [100, 900],
        "sex": ["F", "M"],
        "video": [True, False],
        "lang": ["en", "zh"],
        "topics": [["humour"], ["patch", "news"]],
        "day": [dt.date(2020, 1, 1), dt.date(2024, 1, 1)],
        "taste": [[0.0, 1.0], [1.0, 0.0]],
    }
)
KINDS = ("numeric", "binary", "binary", "category", "tags", "date", "vector")
ENCODER = SideEncoder.fit(
    tuple(Field(name=n, side="item", kind=k) for n, k in zip(FRAME.columns, KINDS, strict=True)), FRAME
)
EVERYONE = np.full(ENCODER.layout.width, 0.5, dtype=np.float32)
NAMES = [f"{f}={v}" for f, v in ENCODER.labels()]


def vector(**values):
    """A half of everything but what is given, by heading or by label."""
    found = EVERYONE.copy()
    for name, value in values.items():
        (place,) = (j for j, (f, v) in enumerate(ENCODER.labels()) if name in (f, v))
        found[place] = value
    return found


def clouds(*centres, n=400, k=4, spread=0.05, seed=0):
    """Points around centres on the first axes, and which cloud each is of."""
    random = np.random.default_rng(seed)
    which = np.concatenate([np.full(round(share * n), c) for c, (_, share) in enumerate(centres)])
    x = spread * random.standard_normal((len(which), k))
    x[:, :2] += np.array([place for place, _ in centres])[which]
    return np.clip(x, -1, 1).astype(np.float32), which


def modes(points, vectors, weight=None, known=None, k=4, population=EVERYONE, **more):
    weight = np.full(len(points), 1 / max(1, len(points))) if weight is None else weight
    known = points if known is None else known
    space = UniformSpace(dim=k, norm=2)
    return find_modes(space, points, vectors, weight, encoder=ENCODER, population=population, known=known, **more)


SHORT, PATCH = vector(length=0.1, video=0.9, humour=0.8), vector(length=0.55, video=0.1, patch=0.9, zh=0.9, en=0.1)
TWO = (((-0.4, 0.0), 0.65), ((0.4, 0.1), 0.35))


def test_two_kinds_are_found_named_and_shown():
    points, which = clouds(*TWO)
    found = modes(points, np.array([SHORT, PATCH])[which])
    assert [round(m.share, 2) for m in found] == [0.65, 0.35]
    first, second = found
    assert set(first.name.split(", ")) == {"low length", "video", "humour"}
    assert set(second.name.split(", ")) == {"patch", "no video", "zh"}
    assert first.typical["topics"] == "humour, news, patch", "of at least a half"
    for mode, of in zip(found, (0, 1), strict=True):
        np.testing.assert_array_equal(mode.members, np.flatnonzero(which == of))
        np.testing.assert_allclose(mode.centre, points[which == of].mean(0), atol=1e-6)
        np.testing.assert_allclose(mode.vector, (SHORT, PATCH)[of], atol=1e-6)
        distance = ((points - mode.centre) ** 2).sum(1)
        np.testing.assert_array_equal(mode.examples, np.argsort(distance, kind="stable")[:3])


def test_weights_make_the_shares_and_nothing_of_no_weight_counts():
    points, which = clouds(*TWO, ((0.9, -0.9), 0.2))
    weight = np.where(which == 0, 1.0, np.where(which == 1, 3.0, 0.0))
    found = modes(points, np.array([SHORT, PATCH, EVERYONE])[which], weight)
    heavy = 3 * (which == 1).sum()
    assert [m.share for m in found] == pytest.approx([heavy / weight.sum(), 1 - heavy / weight.sum()])
    assert not set(np.flatnonzero(which == 2)) & {int(j) for m in found for j in m.members}


@settings(max_examples=12)
@given(
    st.sampled_from(["gauss", "even", "lopsided", "heavy", "line"]),
    st.sampled_from([1, 2, 8, 40]),
    st.sampled_from([30, 120, 500]),
    st.integers(0, 99),
)
def test_what_no_valley_separates_is_one(form, k, n, seed):
    random = np.random.default_rng(seed)
    x = {
        "gauss": lambda: random.standard_normal((n, k)),
        "even": lambda: random.uniform(-1, 1, (n, k)),
        "lopsided": lambda: random.exponential(size=(n, k)),
        "heavy": lambda: random.standard_t(3, size=(n, k)),
        "line": lambda: random.uniform(-1, 1, (n, 1)) * np.ones((1, k)),
    }[form]()
    assert separate_groups(x, np.full(n, 1 / n), most=4, least=0.1, rng=seed).max() == 0


@pytest.mark.parametrize("k", [2, 16, 40])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_what_is_far_apart_is_as_many(k, count):
    corners = [((0.6, 0.6), 0.4), ((-0.6, -0.6), 0.6 / (count - 1)), ((0.6, -0.6), 0.2), ((-0.6, 0.6), 0.2)]
    shares = {2: (0.4, 0.6), 3: (0.4, 0.3, 0.3), 4: (0.4, 0.2, 0.2, 0.2)}[count]
    points, which = clouds(*((c, s) for (c, _), s in zip(corners, shares, strict=False)), n=500, k=k, spread=0.1)
    group = separate_groups(points, np.full(len(points), 1 / len(points)), most=4, least=0.1)
    assert group.max() + 1 == count
    assert all(len(set(group[which == c])) == 1 for c in range(count))
    heavy = np.bincount(group)
    assert (np.diff(heavy) <= 0).all(), "the heaviest first"


def test_a_long_kind_is_one_kind():
    """k-means would cut it across; beside another long one, along."""
    random = np.random.default_rng(0)
    along, across = random.uniform(-1, 1, 600), 0.04 * random.standard_normal(600)
    which = np.arange(600) % 2
    points = np.column_stack([along, across + 0.5 * which])
    group = separate_groups(points, np.full(600, 1 / 600), most=4, least=0.1)
    assert group.max() == 1
    assert (group == group[0]).sum() == 300


def test_a_small_kind_goes_to_the_nearest_and_the_least_separate_are_joined():
    points, which = clouds(((-0.5, 0.0), 0.5), ((0.5, 0.0), 0.44), ((0.6, 0.6), 0.06), n=1000)
    group = separate_groups(points, np.full(1000, 1e-3), most=4, least=0.1)
    assert group.max() == 1
    assert set(group[which == 2]) == set(group[which == 1])
    points, which = clouds(((-0.5, 0.0), 0.4), ((0.5, 0.0), 0.3), ((0.5, 0.25), 0.3), n=1000)
    assert separate_groups(points, np.full(1000, 1e-3), most=3, least=0.1).max() == 2
    two = separate_groups(points, np.full(1000, 1e-3), most=2, least=0.1)
    assert set(two[which == 1]) == set(two[which == 2]) != set(two[which == 0])
    assert separate_groups(points, np.full(1000, 1e-3), most=1, least=0.1).max() == 0


def test_the_name_says_what_differs_from_everyone():
    one = clouds(((0.0, 0.0), 1.0))[0][:80]

    def name(**values):
        return modes(one, np.repeat(vector(**values)[None], 80, axis=0))[0].name

    assert name(day=0.9) == "late day"
    assert name(day=0.2, length=0.95) == "high length, early day"
    assert name(M=0.1) == "F"
    assert name(M=0.9) == "M"
    assert name(humour=0.6, patch=0.58, video=0.57) == "humour", "less than a tenth is not told"
    assert name() == "much like everyone's"
    assert name(zh=0.9, en=0.8) == "zh", "one word of one-of-many"
    assert name(**{"taste[0]": 0.9}) == "much like everyone's", "an axis means nothing to anyone"
    assert name(humour=0.95, patch=0.9, news=0.85, video=0.8) == "humour, patch, news", "three words at most"


def test_a_rare_value_is_no_name():
    one = clouds(((0.0, 0.0), 1.0))[0][:80]
    rare = vector(humour=0.01, patch=0.01)
    found = modes(one, np.repeat(vector(humour=0.2, patch=0.3)[None], 80, axis=0), population=rare)
    assert "patch" in found[0].name
    assert "humour" not in found[0].name, "four of five lack it"


def test_what_all_modes_have_names_none_of_them_first():
    points, which = clouds(*TWO)
    both = np.array([vector(zh=0.95, en=0.05, humour=0.9), vector(zh=0.95, en=0.05, patch=0.9)])
    first, second = modes(points, both[which])
    assert first.name.startswith("humour")
    assert second.name.startswith("patch")


def test_missing_values_are_left_out():
    points, which = clouds(*TWO)
    vectors = np.array([SHORT, PATCH])[which]
    vectors[::2, 0] = np.nan
    vectors[:, NAMES.index("day=day")] = np.nan
    first = modes(points, vectors)[0]
    assert first.vector[0] == pytest.approx(0.1)
    assert first.typical["day"] == "unknown"
    assert "day" not in first.name


def test_kinds_can_be_told_by_what_is_known_of_rows():
    same = np.zeros((400, 4), dtype=np.float32)
    vectors = np.repeat(np.array([SHORT, PATCH]), [250, 150], axis=0)
    vectors[0, 0] = np.nan
    assert len(modes(same, vectors)) == 1, "of one taste"
    assert [m.share for m in modes(same, vectors, by="vectors")] == pytest.approx([250 / 400, 150 / 400])


def test_few_points_and_none():
    assert modes(np.zeros((0, 4), dtype=np.float32), np.zeros((0, len(EVERYONE)))) == ()
    points, which = clouds(*TWO, n=20)
    found = modes(points, np.array([SHORT, PATCH])[which], known=points[:2])
    assert len(found) == 1, "a dozen points show no valley"
    assert set(found[0].examples) == {0, 1}
    assert len(modes(points, np.array([SHORT, PATCH])[which], known=points[:0])[0].examples) == 0
    assert modes(points, np.array([SHORT, PATCH])[which], np.zeros(20)) == ()


def test_the_same_seed_gives_the_same_modes():
    points, which = clouds(*TWO, spread=0.2)
    a, b = (modes(points, np.array([SHORT, PATCH])[which], rng=5) for _ in range(2))
    assert [m.share for m in a] == [m.share for m in b]
    assert [m.name for m in a] == [m.name for m in b]


def test_more_clusters_than_different_points():
    x = np.repeat(np.array([[0.0], [1.0]]), 5, axis=0)
    centres, label = weighted_kmeans(x, np.full(10, 0.1), 4, seed=0)
    assert sorted(centres[:, 0].tolist()) == [0, 1]
    assert len(set(label)) == 2


@pytest.mark.parametrize("bad", [{"most": 0}, {"least": 1.0}, {"least": -0.1}, {"examples": -1}])
def test_what_is_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        modes(np.zeros((3, 4), dtype=np.float32), np.zeros((3, len(EVERYONE))), **bad)
