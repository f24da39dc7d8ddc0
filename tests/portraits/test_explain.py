"""Explanations against brute force: a small network asked row by row, and models whose answers are known."""

import datetime as dt
import itertools
import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import ConfigError, DataError, SpaceError
from penchant.nets import EncoderOptions, MLPEncoder, as_tensors
from penchant.portraits.explain import Counterfactual, Pair, Search, counterfactual, explain, split_by_axis
from penchant.spaces import UniformSpace
from penchant.tables import Field, SideEncoder

N, K = 60, 6


def field(name, kind, **options):
    return Field(name=name, side="item", kind=kind, **options)


FIELDS = (
    field("id", "id"),
    field("price", "numeric", unit="€"),
    field("year", "numeric"),
    field("stars", "numeric"),
    field("new", "binary"),
    field("made", "date"),
    field("shown", "date"),
    field("studio", "category", title="Studio"),
    field("genres", "tags"),
    field("size", "vector"),
)


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    days = [dt.date(1990, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 9000, N)]
    return pl.DataFrame(
        {
            "id": [f"i{j}" for j in range(N)],
            "price": rng.uniform(1, 99, N),
            "year": rng.integers(1930, 2000, N),
            "stars": [None if j % 7 == 0 else int(j % 5) for j in range(N)],
            "new": rng.random(N) < 0.3,
            "made": days,
            "shown": [dt.datetime(d.year, d.month, d.day, 18, 30, j) for j, d in enumerate(days)],
            "studio": [None if j % 11 == 0 else "ABBC"[j % 4] for j in range(N)],
            "genres": [[g for g in ("Drama", "Comedy", "Noir") if rng.random() < 0.4] for _ in range(N)],
            "size": rng.normal(size=(N, 3)).tolist(),
        }
    )


FRAME = table()
ENCODER = SideEncoder.fit(FIELDS, FRAME)
SPACE = UniformSpace(dim=K, norm=4)


def network(encoder=ENCODER, frame=FRAME, seed=0):
    torch.manual_seed(seed)
    net = MLPEncoder(encoder.layout, K, EncoderOptions(hidden=(16,), embedding_dim=4, bins=8)).eval()
    net.prepare(as_tensors(encoder.encode(frame)))
    with torch.no_grad():
        for weights in net.parameters():  # so that every value says something
            weights.add_(0.3 * torch.randn_like(weights))

    @torch.no_grad()
    def encode(rows):
        return SPACE.bound(net(as_tensors(encoder.encode_rows(list(rows))))).numpy()

    return encode


ENCODE = network()


def logistic(distance):
    return 1 / (1 + np.exp(-5 * (0.5 - distance)))


def real_pair(row, centre, **options):
    given = {"encoder": ENCODER, "frame": FRAME, "encode": ENCODE, "space": SPACE, "threshold": 0.5}
    return Pair(row=row, centre=centre, probability=logistic, **(given | options))


def distances_of(rows, centre):
    """d_4 of each row, by a loop."""
    points = ENCODE(rows).tolist()
    return [(sum(abs(a - float(b)) ** 4 for a, b in zip(x, centre, strict=True)) / K) ** 0.25 for x in points]


def distance_of(row, centre):
    """d_4 of one row, encoded by itself."""
    return distances_of([row], centre)[0]


def effects_of(row, centre, **options):
    """An explanation without a search for what would turn the decision."""
    return explain(real_pair(row, centre), user="u", item="i", only=[], **options)


def centres(n):
    return np.tanh(np.random.default_rng(1).normal(size=(n, K))).astype(np.float32)


# ---------------------------------------------------------------------- axes


@given(st.sampled_from([1, 2, 3, 4]), st.integers(1, 5), st.integers(0, 10**6))
def test_contributions_add_to_one_and_are_the_parts_of_the_norm(norm, k, seed):
    x, y = np.random.default_rng(seed).uniform(-1, 1, (2, k))
    distance, share, binding = split_by_axis(x, y, UniformSpace(dim=k, norm=norm))
    parts = [abs(a - b) ** norm for a, b in zip(x, y, strict=True)]
    assert distance == pytest.approx((sum(parts) / k) ** (1 / norm), rel=1e-9)
    assert share.tolist() == pytest.approx([part / sum(parts) for part in parts], rel=1e-9)
    assert share.sum() == pytest.approx(1)
    assert not binding.any()


def test_the_sup_norm_is_bound_by_its_largest_axes():
    space = UniformSpace(dim=4, norm=math.inf)
    split = split_by_axis(np.zeros(4), np.array([0.5, -0.5 + 1e-10, 0.4, 0.0]), space)
    assert split.distance == 0.5
    assert split.binding.tolist() == [True, True, False, False]
    assert split.contribution.tolist() == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("norm", [2, math.inf])
def test_no_distance_has_no_parts(norm):
    split = split_by_axis(np.ones(3), np.ones(3), UniformSpace(dim=3, norm=norm))
    assert split.distance == 0
    assert not split.contribution.any()
    assert not split.binding.any()


def test_tiny_differences_do_not_underflow():
    share = split_by_axis(np.zeros(2), np.array([1e-200, 2e-200]), UniformSpace(dim=2, norm=4)).contribution
    assert share.tolist() == pytest.approx([1 / 17, 16 / 17])


def test_points_of_another_dimension_are_refused():
    with pytest.raises(SpaceError):
        split_by_axis(np.zeros(3), np.zeros(2), UniformSpace(dim=2))


# ---------------------------------------------------------------------- effects, by brute force


def spelled(kind, word):
    """A value as the tables say it, back to what a row holds."""
    if kind == "numeric":
        return float(word.removesuffix(" €"))
    return {"yes": True, "no": False}[word] if kind == "binary" else word


@pytest.mark.parametrize("item", range(0, N, 6))
def test_every_change_is_what_the_model_says_of_the_changed_row(item):
    row, centre = FRAME.row(item, named=True), centres(N)[item]
    told = effects_of(row, centre)
    now = distance_of(row, centre)
    assert told.distance == pytest.approx(now, abs=1e-6)
    assert told.probability == pytest.approx(logistic(now), abs=1e-5)
    assert len(told.changes) > 50
    kinds = {f.name: f.kind for f in FIELDS}
    for change in told.changes.iter_rows(named=True):
        name, how, value = change["field"], change["how"], change["value"]
        if name == "price" and how == "value":
            continue  # said in words with fewer digits; see the next test
        tags = row["genres"]
        new = {
            "missing": None,
            "unseen": ["never"] if name == "genres" else "never",
            "added": [*tags, value],
            "removed": [tag for tag in tags if tag != value],
            "value": spelled(kinds[name], value) if how == "value" else None,
        }[how]
        after = distance_of({**row, name: new}, centre)
        assert change["distance"] == pytest.approx(after, abs=1e-6), change
        assert change["change"] == pytest.approx(after - now, abs=2e-6)
        assert change["liked"] == (change["distance"] <= 0.5)


def test_numbers_are_tried_at_quantiles_of_the_training_rows():
    row, centre = FRAME.row(4, named=True), centres(1)[0]
    told = effects_of(row, centre).changes.filter(pl.col("how") == "value", field="price")
    quantiles = sorted(FRAME["price"])[:: (N - 1) // 8][:9]
    assert len(told) == 9
    assert told["value"][0] == f"{quantiles[0]:.1f} €"
    ends = [distance_of({**row, "price": p}, centre) for p in (FRAME["price"].min(), FRAME["price"].max())]
    assert [told["distance"][0], told["distance"][-1]] == pytest.approx(ends, abs=1e-6)


@pytest.mark.parametrize("item", [0, 22])
def test_an_effect_is_measured_against_the_training_rows(item):
    row, centre = FRAME.row(item, named=True), centres(N)[item]
    effects = effects_of(row, centre).effects
    assert effects["effect"].abs().to_list() == sorted(effects["effect"].abs(), reverse=True)
    fields = {r["field"]: r for r in effects.filter(pl.col("tag").is_null()).iter_rows(named=True)}
    assert set(fields) == {f.name for f in FIELDS}
    now = distance_of(row, centre)
    for name in ("stars", "new", "studio", "genres"):
        average = np.mean(distances_of([{**row, name: value} for value in FRAME[name].to_list()], centre))
        assert fields[name]["average"] == pytest.approx(average, abs=1e-6), name
        assert fields[name]["effect"] == pytest.approx(now - average, abs=1e-6), name
    for name in ("price", "year", "made", "shown"):  # nine quantiles stand for sixty rows
        every = distances_of([{**row, name: value} for value in FRAME[name].to_list()], centre)
        assert fields[name]["average"] == pytest.approx(np.mean(every), abs=0.25 * np.ptp(every)), name
    without = {"id": "never", "size": None}
    for name, value in without.items():
        assert fields[name]["effect"] == pytest.approx(now - distance_of({**row, name: value}, centre), abs=1e-6)


def test_a_tag_is_measured_against_rows_that_have_it_as_often_as_others():
    item = next(j for j in range(N) if len(FRAME["genres"][j]) == 2)
    row, centre = FRAME.row(item, named=True), centres(1)[0]
    tags = effects_of(row, centre).effects.filter(pl.col("tag").is_not_null())
    assert sorted(tags["tag"]) == sorted(row["genres"])
    for told in tags.iter_rows(named=True):
        rest = [tag for tag in row["genres"] if tag != told["tag"]]
        share = sum(told["tag"] in genres for genres in FRAME["genres"].to_list()) / N
        without, now = distance_of({**row, "genres": rest}, centre), distance_of(row, centre)
        assert told["effect"] == pytest.approx(now - (share * now + (1 - share) * without), abs=1e-6)
        assert told["left_out"] == pytest.approx(without - now, abs=1e-6)


def test_best_and_worst_are_the_ends_of_the_changes():
    told = effects_of(FRAME.row(9, named=True), centres(1)[0])
    for row in told.effects.filter(pl.col("tag").is_null()).iter_rows(named=True):
        options = told.changes.filter(~pl.col("how").is_in(["missing", "unseen"]), field=row["field"])["change"]
        assert (row["best_change"], row["worst_change"]) == (options.min(), options.max())
        assert (row["best"] is None) == (row["field"] in ("id", "size"))


def test_left_out_is_what_the_model_has_met():
    told = effects_of(FRAME.row(3, named=True), centres(1)[0])
    effects = {r["field"]: r["left_out"] for r in told.effects.filter(pl.col("tag").is_null()).iter_rows(named=True)}
    changes = {(r["field"], r["how"]): r["change"] for r in told.changes.iter_rows(named=True)}
    assert effects["id"] == changes["id", "unseen"], "no training row lacks one: its place for that is untrained"
    assert effects["genres"] == changes["genres", "unseen"]
    assert effects["studio"] == changes["studio", "missing"]
    assert effects["year"] == changes["year", "missing"]


def test_what_is_new_is_new_even_where_names_are_odd():
    frame = {"a": ["?", "??", "x"], "t": [["?"], ["x"], []]}
    asked = []

    def place(r):
        asked.append(r)
        return 0.4

    effects = explain(
        line_pair(place, {"a": "x", "t": ["x"]}, frame, a="category", t="tags"), user="u", item="i"
    ).effects
    assert len(effects) == 3
    assert any(r["a"] == "???" for r in asked)
    assert any(r["t"] == ["??"] for r in asked)


def test_a_row_of_which_nothing_is_known():
    told = effects_of({}, centres(1)[0])
    assert told.distance == pytest.approx(distance_of({}, centres(1)[0]), abs=1e-6)
    assert told.changes.filter(how="missing")["change"].abs().max() < 1e-6
    assert told.effects["effect"].is_finite().all()
    assert set(told.effects["value"]) == {"unknown"}


@pytest.mark.parametrize(
    "given",
    [
        {"id": "never seen", "studio": "unheard of", "genres": ("Noir", "Opera"), "new": None},
        {"price": np.float32(12.5), "year": np.int64(1950), "stars": 3.0, "new": np.bool_(True)},
        {"year": 2050, "price": -3.0, "made": "1999-05-01", "shown": "2001-02-03T10:00:00+02:00"},
        {"made": dt.datetime(1999, 5, 1, 12), "shown": dt.date(1999, 5, 1), "size": np.array([0.1, 0.2, 9.0])},
        {"shown": dt.datetime(1999, 5, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), "genres": {"Drama"}},
        {"made": np.datetime64("1999-05-01"), "genres": pl.Series(["Drama", "Drama"]), "price": None},
    ],
)
def test_values_may_be_given_in_any_form_that_the_model_reads(given):
    row, centre = FRAME.row(5, named=True) | given, centres(1)[0]
    told = effects_of(row, centre)
    assert told.distance == pytest.approx(distance_of(row, centre), abs=1e-6)
    left_out = told.changes.filter(how="missing", field="genres")["distance"][0]
    assert left_out == pytest.approx(distance_of({**row, "genres": None}, centre), abs=1e-6)


def test_a_wrong_value_is_refused_with_its_field():
    with pytest.raises(DataError, match="year"):
        effects_of({"year": "long ago"}, centres(1)[0])


def test_what_is_given_must_fit():
    with pytest.raises(SpaceError):
        real_pair({}, np.zeros(K + 1))
    with pytest.raises(ConfigError, match="threshold"):
        real_pair({}, np.zeros(K), threshold=0.0)
    with pytest.raises(DataError, match="year"):
        real_pair({}, np.zeros(K), frame=FRAME.drop("year"))


# ---------------------------------------------------------------------- the past


def test_each_past_like_is_left_out_once():
    users = centres(3)
    history = [("Heat", True), (17, False), ("Alien", True)]
    pair = real_pair(FRAME.row(2, named=True), centres(9)[8])
    told = explain(pair, user="u", item="i", history=history, without=lambda entries: users[entries])
    now = distance_of(pair.row, pair.centre)
    expected = {str(name): now - distance_of(pair.row, user) for (name, _), user in zip(history, users, strict=True)}
    assert dict(told.history.select("item", "effect").iter_rows()) == pytest.approx(expected, abs=1e-6)
    assert told.history["change"].to_list() == (-told.history["effect"]).to_list()
    assert told.history["effect"].abs().is_sorted(descending=True)
    assert dict(told.history.select("item", "liked").iter_rows()) == {"Heat": True, "17": False, "Alien": True}


def test_a_history_needs_a_way_to_leave_entries_out():
    with pytest.raises(ConfigError, match="without"):
        effects_of({}, centres(1)[0], history=[("Heat", True)])
    with pytest.raises(ConfigError, match="2 points"):
        effects_of({}, centres(1)[0], history=[("a", True), ("b", True)], without=lambda _: centres(1))


# ---------------------------------------------------------------------- what would turn it


def line_pair(place, row, frame, *, threshold=0.5, **fields):
    """A user at 0 on a line; the item lies where ``place(row)`` says."""
    kinds = tuple(field(name, **({"kind": kind} if isinstance(kind, str) else kind)) for name, kind in fields.items())
    space = UniformSpace(dim=1)

    def encode(rows):
        return np.array([[float(place(r))] for r in rows]).reshape(len(rows), 1)

    frame = pl.DataFrame(frame)
    encoder = SideEncoder.fit(kinds, frame)
    return Pair(row=row, encoder=encoder, frame=frame, encode=encode, centre=np.zeros(1), space=space,
                threshold=threshold, probability=logistic)  # fmt: skip


@settings(max_examples=25)
@given(st.floats(1.0, 99.0), st.floats(1.0, 99.0), st.sampled_from(["minmax", "log", "quantile"]))
def test_a_number_goes_to_the_nearest_value_that_turns_it(edge, now, scale):
    frame = {"x": np.linspace(0, 100, 41) ** 1.5 / 10}
    pair = line_pair(lambda r: 0.3 if r["x"] <= edge else 0.7, {"x": now}, frame, x={"kind": "numeric", "scale": scale})
    found, search = counterfactual(pair)
    assert found.liked == (now > edge)
    levels = pair.encoder.kinds[0].scaler.forward(np.array([edge, found.changes["x"][1], now]))
    assert abs(levels[1] - levels[0]) < 1e-6
    assert (found.changes["x"][1] <= edge) == found.liked
    assert found.cost == pytest.approx(abs(levels[2] - levels[1]), abs=1e-9)
    assert found.changes["x"][0] == now
    assert search.evaluations < 400
    said = float(found.words[0].split("→")[1])
    assert said == pytest.approx(found.changes["x"][1], abs=1e-2)
    assert (said <= edge) == found.liked, "what is said in fewer digits turns it too"


@settings(max_examples=25)
@given(st.integers(-500, 500), st.integers(-500, 500))
def test_whole_numbers_stay_whole(edge, now):
    pair = line_pair(lambda r: 0.3 if r["x"] <= edge else 0.7, {"x": now}, {"x": range(-501, 502)}, x="numeric")
    found, _ = counterfactual(pair)
    assert found.changes == {"x": (now, edge if now > edge else edge + 1)}
    assert isinstance(found.changes["x"][1], int)


def test_of_two_sides_the_nearer_is_taken_whatever_lies_beyond():
    def bump(r):
        return 0.2 if 12 <= r["x"] <= 14.5 or r["x"] >= 30 or r["x"] < 4 else 0.9

    pair = line_pair(bump, {"x": 9.0}, {"x": np.linspace(0, 50, 60)}, x="numeric")
    found, _ = counterfactual(pair)
    assert found.changes["x"][1] == pytest.approx(12, abs=1e-4)
    assert bump({"x": found.changes["x"][1]}) == 0.2


def test_dates_and_moments_are_turned_to_a_day_and_a_second():
    days = [dt.date(2000, 1, 1), dt.date(2010, 1, 1)]
    edge = dt.date(2004, 2, 29)
    pair = line_pair(lambda r: 0.3 if r["d"] < edge else 0.7, {"d": "2009-05-05"}, {"d": days}, d="date")
    assert counterfactual(pair)[0].changes == {"d": (dt.date(2009, 5, 5), dt.date(2004, 2, 28))}
    at = dt.datetime(2004, 2, 29, 12, 0, 0)
    moments = [dt.datetime(2000, 1, 1, 1), dt.datetime(2010, 1, 1, 1)]
    pair = line_pair(lambda r: 0.3 if r["d"] < at else 0.7, {"d": moments[0]}, {"d": moments}, d="date")
    found = counterfactual(pair)[0]
    assert abs(found.changes["d"][1] - at) < dt.timedelta(minutes=2), "levels nearer than 1e-7 are one to a model"
    assert found.words == (f"d: 2000-01-01 01:00:00 → {found.changes['d'][1]}",)


def test_a_number_outside_the_range_moves_from_the_end_of_it():
    pair = line_pair(lambda r: 0.3 if r["x"] < 40 else 0.7, {"x": 300}, {"x": range(0, 101)}, x="numeric")
    found, _ = counterfactual(pair)
    assert found.changes == {"x": (300, 39)}
    assert found.cost == pytest.approx(0.61)


def test_a_missing_number_is_set_to_a_valid_one():
    pair = line_pair(lambda r: 0.7 if r["x"] is None else 0.3, {}, {"x": range(0, 900)}, x="numeric")
    found, _ = counterfactual(pair)
    assert found.cost == 1
    assert 0 <= found.changes["x"][1] <= 899


def test_among_equals_the_distance_nearest_to_the_threshold_wins():
    at = {"a": 0.9, "b": 0.1, "c": 0.4, "d": 0.6}
    pair = line_pair(lambda r: at[r["x"]], {"x": "a"}, {"x": list("abcd")}, x="category")
    found, search = counterfactual(pair)
    assert found.changes == {"x": ("a", "c")}
    assert (found.distance, found.liked, found.size, found.fewest) == (0.4, True, 1, True)
    assert search == Search(("x",), 3, 0.1, 3, False)


def test_tags_are_put_in_and_taken_out_one_by_one():
    weight = {"A": 0.3, "B": 0.31, "C": -0.2, "D": -0.1}

    def place(r):
        return 0.3 + sum(weight.get(str(tag), 0) for tag in r["t"])

    frame = {"t": [["A", "B"], ["C"], ["D"], []]}
    found, _ = counterfactual(line_pair(place, {"t": ["A", "B", "E"]}, frame, t="tags", threshold=0.55))
    assert found.changes == {"t": (["A", "B", "E"], ["B", "E", "D"])}
    assert (found.words, found.size, found.cost) == (("t: + D − A",), 2, 2)
    assert found.fewest, "all single changes were tried"
    found, _ = counterfactual(line_pair(place, {"t": ["A", "B"]}, frame, t="tags", threshold=0.75))
    assert (found.words, found.size) == (("t: + C",), 1)


def test_tags_that_are_whole_numbers_are_given_back_as_such():
    pair = line_pair(lambda r: 0.9 - 0.3 * len(r["t"]), {"t": [7]}, {"t": [[7], [8, 7]]}, t="tags")
    assert counterfactual(pair)[0].changes == {"t": ([7], [7, 8])}


def test_text_with_a_delimiter_is_changed_tag_by_tag():
    tags = {"kind": "tags", "delimiter": "|"}
    pair = line_pair(lambda r: 0.9 - 0.3 * len(r["t"] or ()), {"t": "b | a|"}, {"t": ["a", "b|c", "c"]}, t=tags)
    told = explain(pair, user="u", item="i")
    assert told.distance == pytest.approx(0.3)
    assert told.counterfactual.changes == {"t": (["b", "a"], ["b"])}


def test_fields_join_where_one_is_not_enough_and_numbers_are_drawn_back():
    def place(r):
        return 0.9 - 0.3 * (r["a"] == "y") - 0.2 * r["x"] / 100

    frame = {"a": ["x", "y"], "x": np.linspace(0, 100, 30), "idle": ["p", "q"] * 15}
    frame["a"] = frame["a"] * 15
    pair = line_pair(place, {"a": "x", "x": 10.0, "idle": "p"}, frame, a="category", x="numeric", idle="binary")
    found, _ = counterfactual(pair)
    assert set(found.changes) == {"a", "x"}
    assert found.changes["x"][1] == pytest.approx(50, abs=1e-3)
    assert place({"a": "y", "x": found.changes["x"][1]}) <= 0.5
    assert not found.fewest, "between the numbers of a grid anything may be"
    found, search = counterfactual(pair, max_changes=1)
    assert (found, search.fields, search.proved) == (None, ("a", "x", "idle"), False)
    assert search.nearest == pytest.approx(0.58)


VALUES = {"a": 3, "b": 2, "c": 4}


@settings(max_examples=40)
@given(st.lists(st.floats(0.05, 0.95), min_size=24, max_size=24), st.integers(0, 23), st.integers(1, 3))
def test_a_small_item_is_gone_through_completely(distances, start, most):
    """Any table of distances over 3 × 2 × 4 items, against looking at all 24 of them."""
    items = list(itertools.product(*(map(str, range(n)) for n in VALUES.values())))
    at = dict(zip(items, distances, strict=True))
    frame = {name: [item[j] for item in items] for j, name in enumerate(VALUES)}
    row = dict(zip(VALUES, items[start], strict=True))
    kinds = dict.fromkeys(VALUES, "category")
    found, search = counterfactual(line_pair(lambda r: at[tuple(r.values())], row, frame, **kinds), max_changes=most)
    turned = [
        (sum(a != b for a, b in zip(item, items[start], strict=True)), abs(at[item] - 0.5), item)
        for item in items
        if (at[item] <= 0.5 - 1e-6 if at[items[start]] > 0.5 else at[item] >= 0.5 + 1e-6)
    ]
    turned = [one for one in turned if one[0] <= most]
    if not turned:
        assert found is None
        assert search.proved
    else:
        assert (found.size, abs(found.distance - 0.5)) == pytest.approx(min(turned)[:2])
        assert found.fewest


def test_a_set_with_more_than_it_needs_is_pruned():
    """The way to three changes leads past two that are enough, and that the beam did not join."""
    names = [f"f{j}" for j in range(70)]

    def place(r):
        on = {name for name in names if r[name]}
        if {"f68", "f69"} <= on:
            return 0.1
        if on & {"f68", "f69"}:
            return 0.6 if "f0" in on else 0.95
        return 0.8 if "f0" in on else 0.9 - 0.001 * len(on)

    frame = {name: [True, False] for name in names}
    pair = line_pair(place, dict.fromkeys(names, False), frame, **dict.fromkeys(names, "binary"))
    found, _ = counterfactual(pair)
    assert found.changes == {"f68": (False, True), "f69": (False, True)}
    assert not found.fewest


def test_ids_change_only_when_asked():
    frame = {"id": [1, 2, 3], "x": ["p", "q", "q"]}
    pair = line_pair(lambda r: 0.1 if r["id"] == 2 else 0.9, {"id": 1, "x": "p"}, frame, id="id", x="category")
    found, search = counterfactual(pair)
    assert found is None
    assert search.fields == ("x",)
    assert search.proved
    found, search = counterfactual(pair, only=["id"])
    assert found.changes == {"id": (1, 2)}
    assert search.fields == ("id",)


def test_only_the_fields_asked_for_change():
    frame = {"a": ["x", "y"], "b": ["x", "y"]}
    pair = line_pair(
        lambda r: 0.1 if "y" in r.values() else 0.9, {"a": "x", "b": "x"}, frame, a="category", b="category"
    )
    assert set(counterfactual(pair, only=["b"])[0].changes) == {"b"}
    assert counterfactual(pair, only=[]) == (None, Search((), 3, 0.9, 0, True))
    with pytest.raises(ConfigError, match=r"'c'.*a, b"):
        counterfactual(pair, only=["c"])
    with pytest.raises(ConfigError, match="max_changes"):
        explain(pair, user="u", item="i", max_changes=0)


@pytest.mark.parametrize("values", [[5, 5], [None, None]])
def test_fields_with_one_value_or_none_cannot_turn_anything(values):
    frame = pl.DataFrame({"x": values, "a": ["p", "p"], "t": [[], []], "v": [[1.0], [2.0]], "n": [True, True]},
                         schema_overrides={"x": pl.Int64, "t": pl.List(pl.String)})  # fmt: skip
    row = {"x": 5, "a": "p", "t": [], "v": [1.0], "n": "f"}
    pair = line_pair(lambda _: 0.9, {**row, "n": True}, frame, x="numeric", a="category", t="tags", v="vector")
    told = explain(pair, user="u", item="i")
    assert told.counterfactual is None
    assert told.search == Search((), 3, 0.9, 0, True)
    assert told.effects["effect"].to_list() == [0, 0, 0, 0]
    assert "nothing may change" in str(told)


def test_training_rows_need_not_be_given():
    frame = {"x": [1, 2, 3], "a": ["p", "q", "q"], "t": [["s"], [], []]}
    pair = line_pair(lambda r: 0.9 if r["a"] == "p" else 0.4, {"a": "p"}, frame, x="numeric", a="category", t="tags")
    empty = Pair(**{name: getattr(pair, name) for name in pair.__slots__} | {"frame": pair.frame.clear()})
    told = explain(empty, user="u", item="i")
    assert told.counterfactual.changes == {"a": ("p", "q")}
    assert told.effects["effect"].is_finite().all()


def test_bounds_prove_what_a_search_cannot():
    frame = {"x": np.linspace(0, 100, 30), "a": ["p", "q"] * 15, "b": ["p", "q"] * 15}
    row = {"x": 50.0, "a": "p", "b": "p"}

    def place(r):
        return 0.8 - 0.2 * (r["a"] == "q") - 0.15 * (r["b"] == "q") + 0.001 * r["x"] / 100

    asked = []

    def bound(fields):
        asked.append(tuple(fields))
        return 0.8 - 0.2 * ("a" in fields) - 0.15 * ("b" in fields), 0.81

    pair = line_pair(place, row, frame, x="numeric", a="category", b="category")
    found, _ = counterfactual(pair)
    assert (found.size, found.fewest) == (2, False)
    found, _ = counterfactual(pair, bound=bound)
    assert (set(found.changes), found.fewest) == ({"a", "b"}, True)
    assert asked == [("x", "a", "b"), ("x",)], "the others have but one other value, which was tried"
    found, search = counterfactual(pair, only=["x", "a"], bound=bound)
    assert (found, search.fields, search.evaluations, search.proved) == (None, ("x", "a"), 0, True)
    liked = line_pair(place, row, frame, x="numeric", a="category", b="category", threshold=0.85)
    assert counterfactual(liked, bound=bound)[1].proved


@pytest.mark.parametrize("item", range(6))
def test_a_flip_holds_when_the_model_is_asked_again(item):
    row, centre = FRAME.row(item, named=True), centres(N)[item]
    now = distance_of(row, centre)
    for threshold in (now - 0.02, now + 0.03):
        found, _ = counterfactual(real_pair(row, centre, threshold=threshold))
        assert found is not None
        after = distance_of({**row, **{name: new for name, (_, new) in found.changes.items()}}, centre)
        assert after == pytest.approx(found.distance, abs=1e-6)
        assert (after <= threshold) == found.liked == (now > threshold)
        assert "id" not in found.changes


# ---------------------------------------------------------------------- how it shows itself


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.said, self.tags = [], "", set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data


@pytest.fixture
def told():
    frame = {"made": [dt.date(2000, 1, 1), dt.date(2010, 1, 1)], "genres": [["<b>Noir</b>", "[bold]"], ["Drama"]]}
    frame["id"] = ["x", "y"]

    def place(r):
        late = r["made"] is not None and r["made"] > dt.date(2005, 1, 1)
        return 0.45 - 0.2 * ("<b>Noir</b>" in (r["genres"] or ())) + 0.3 * late

    pair = line_pair(place, {"made": "2002-03-04", "genres": ["<b>Noir</b>", "[bold]"], "id": "x"}, frame,
                     made="date", genres="tags", id="id", threshold=0.4)  # fmt: skip
    return explain(pair, user="user <7>", item="Heat & Dust", only=["genres"], history=[("<i>Ran</i>", False)],
                   without=lambda entries: np.full((len(entries), 1), -0.1))  # fmt: skip


def test_the_words_say_what_was_found(told):
    text = str(told)
    for said in (
        "Why user <7> would like Heat & Dust",
        "Liked: distance 0.250 of at most 0.400, P 0.78.",
        "genres <b>Noir</b> (-0.100)",
        "By the past, it is brought closer by the dislike of <i>Ran</i> (-0.100)",
        "It would not be liked with genres: − <b>Noir</b>",
        "[bold]",
    ):
        assert said in " ".join(text.split())
    assert "\x1b" not in text


def test_html_is_balanced_escaped_and_without_script(told):
    page = Text()
    page.feed(told.to_html())
    assert page.open == []
    assert not page.tags & {"b", "i", "script", "img"}
    for said in ("user <7>", "<b>Noir</b>", "Heat & Dust", "<i>Ran</i>", "-0.100"):
        assert said in page.said
    assert told._repr_html_() == told.to_html()
    assert told.to_page().startswith("<!doctype html>")


def test_json_holds_plain_values(told):
    found = json.loads(told.to_json())
    assert found == json.loads(json.dumps(told.to_dict(), default=str))
    assert found["counterfactual"]["changes"] == {"genres": {"from": ["<b>Noir</b>", "[bold]"], "to": ["[bold]"]}}
    assert found["history"][0]["item"] == "<i>Ran</i>"
    assert found["axes"] == [
        {"axis": 0, "user": 0.0, "item": 0.25, "difference": 0.25, "contribution": 1.0, "binding": False}
    ]
    assert {row["value"] for row in found["changes"] if row["field"] == "made"} >= {"2000-01-01", "2010-01-01"}


def test_dates_of_a_flip_are_json_too():
    days = [dt.date(2000, 1, 1), dt.date(2010, 1, 1)]
    pair = line_pair(lambda r: 0.3 if r["d"] and r["d"] < days[1] else 0.7, {"d": days[0]}, {"d": days}, d="date")
    told = explain(pair, user="u", item="i", only=["d"])
    assert json.loads(told.to_json())["counterfactual"]["changes"] == {"d": {"from": "2000-01-01", "to": "2010-01-01"}}


def test_the_sup_norm_names_its_axis():
    space = UniformSpace(dim=K, norm=math.inf)
    told = explain(real_pair(FRAME.row(1, named=True), centres(1)[0], space=space), user="u", item="i", only=[])
    top = told.axes.row(0, named=True)
    assert (top["binding"], top["contribution"]) == (True, 1.0)
    assert abs(top["difference"]) == pytest.approx(told.distance)
    assert f"along axis {top['axis']}." in str(told)


def test_a_counterfactual_that_is_proved_small_says_so():
    flips = Counterfactual({"a": (1, 2), "b": (1, 2)}, ("a: 1 → 2", "b: 1 → 2"), 0.6, 0.4, False, 2, 2.0, True)
    told = effects_of({}, centres(1)[0])
    assert "Fewer changes cannot do it (proved)" in " ".join(str(replace(told, counterfactual=flips)).split())
