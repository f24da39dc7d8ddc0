import numpy as np
import polars as pl
import pytest

from penchant import Penchant, Space, simulate
from penchant.dynamics.events import Event
from penchant.errors import ConfigError, DataError, SpaceError, UnknownIdError
from penchant.estimator.mapping import locate, place
from penchant.maps import landed
from penchant.tables import Field, Schema, Tables


@pytest.fixture(scope="module")
def drawn(model):
    return model.map(method="pca")


def points_of(model, picture):
    return locate(model._fitted, picture).points


def test_all_known_ones_are_on_the_map_items_first(model, drawn):
    users, items = model.users_["user_id"].to_list(), model.items_["item_id"].to_list()
    assert drawn.ids == (*items, *users)
    assert drawn.side.tolist() == [0] * len(items) + [1] * len(users)
    assert drawn.metric == {"norm": 2.0, "cap": model.space_.cap, "threshold": model.threshold_}
    names = [column.name for column in drawn.columns]
    assert names[:2] == ["likes", "reach"]
    assert {field.heading for field in model.schema_.side("user") if field.kind == "numeric"} <= set(names)
    assert "uncertainty" not in names
    assert drawn.placed == 0
    assert drawn.notes == ()


def test_tsne_is_the_default_and_the_same_each_time(model):
    one, other = model.map(), model.map()
    assert one.method == "tsne"
    assert one.to_json() == other.to_json()
    assert one.quality.trustworthiness > 0.85


def test_likes_and_reach_are_those_of_the_model(model, drawn, parts):
    columns = {column.name: column.values for column in drawn.columns}
    liked = parts[0].interactions.filter(pl.col(parts[0].schema.label) == 1).unique(["user_id", "item_id"])
    for place_, key in enumerate(drawn.ids):
        side = "user_id" if drawn.side[place_] else "item_id"
        assert columns["likes"][place_] == liked.filter(pl.col(side) == key).height
    users, items = (model.module_.space, model._fitted.known)
    apart = users.cross(items["item"].points, items["user"].points).numpy() <= model.threshold_
    assert columns["reach"][: len(apart)] == pytest.approx(apart.mean(1), abs=1e-6)
    assert columns["reach"][len(apart) :] == pytest.approx(apart.mean(0), abs=1e-6)


def test_gaussians_say_how_sure_they_are(gaussian_model):
    found = gaussian_model.map(method="pca")
    assert found.metric["norm"] == "wasserstein"
    sure = next(column for column in found.columns if column.name == "uncertainty")
    users = gaussian_model.users_["user_id"].to_list()
    sigma = gaussian_model.uncertainty("user", users)["sigma"].to_numpy()
    assert sure.values[-len(users) :] == pytest.approx(sigma, rel=1e-5)
    point = gaussian_model.place(found, user=users[3])
    assert point.index == len(found) - len(users) + 3


def test_some_ids_one_side_or_nobody(model):
    users = model.users_["user_id"].to_list()
    found = model.map(users=[users[4], users[2], users[4]], items=[], method="pca")
    assert found.ids == (users[2], users[4])
    assert model.map(users=[], method="pca").side.tolist() == [0] * model.items_.height
    with pytest.raises(ConfigError, match="nobody"):
        model.map(users=[], items=[], method="pca")
    with pytest.raises(UnknownIdError, match="no user 'nobody'"):
        model.map(users=["nobody"], method="pca")


def test_of_too_many_some_are_drawn_and_it_is_said(model):
    found = model.map(most=80, method="pca")
    assert len(found) == 80
    assert (found.side == 0).sum() == 40
    assert found.notes == (
        "Of 60 users 40 are shown, drawn at random.",
        "Of 50 items 40 are shown, drawn at random.",
    )
    assert (model.map(users=model.users_["user_id"].to_list()[:9], most=50, method="pca").side == 0).sum() == 41
    assert model.map(most=80, method="pca", rng=9).ids != found.ids
    few = model.map(most=5, method="pca")
    assert (few.side == 0).sum() == 3
    assert len(few.notes) == 2
    with pytest.raises(ConfigError, match="most = 0"):
        model.map(most=0)


def test_new_rows_are_placed_without_moving_the_others(model, drawn, simulation):
    users = simulation.tables.users
    frame = users.head(4).with_columns(user_id=pl.Series(["n1", "n2", '"<b>', "🦜"]))
    found = model.map(users=frame, items=pl.DataFrame({"item_id": ["ni"]}), method="pca")
    assert found.placed == 5
    assert found.ids[-5:] == ("n1", "n2", '"<b>', "🦜", "ni")
    assert np.array_equal(found.xy[:-5], drawn.xy)
    rows = frame.drop("user_id").to_dicts()
    for place_, row in enumerate(rows[:2]):
        again = model.place(drawn, user=row)
        assert (again.x, again.y) == pytest.approx(found.xy[len(drawn) + place_].tolist(), abs=0.01)
        assert again.index is None
    assert model.map(users=frame.drop("user_id").head(1), method="pca").ids[-1] == "new user 1"
    assert len(model.map(users=frame.clear(), method="pca")) == len(drawn)
    with pytest.raises(DataError, match="nonsense"):
        model.map(users=pl.DataFrame({"nonsense": [1]}), method="pca")


def test_most_placed_ones_land_among_their_neighbours(model):
    users, items = model.users_["user_id"].to_list(), model.items_["item_id"].to_list()
    picture = model.map(users=users[:50], items=items[:40])
    points, space = points_of(model, picture), model.space_
    new = np.concatenate([model.encode("user", users[50:]), model.encode("item", items[40:])])
    spots = [model.place(picture, user=u) for u in users[50:]] + [model.place(picture, item=i) for i in items[40:]]
    placed = np.array([(spot.x, spot.y) for spot in spots], np.float32)
    assert landed(space, new, placed, points, picture.xy).mean() >= 0.8  # of twenty; ML-100K has nine in ten


def test_a_known_one_stays_and_its_ball_is_who_is_inside(model, drawn):
    user, n_items = model.users_["user_id"][7], model.items_.height
    found = model.place(drawn, user=user)
    assert found.index == n_items + 7
    assert [found.x, found.y] == drawn.xy[found.index].tolist()
    assert found.radius == model.threshold_
    ranked = model.recommend(user, n=n_items, exclude_seen=False)
    assert {drawn.ids[i] for i in found.inside} == set(ranked.filter("inside")["item_id"].to_list())
    of_item = model.place(drawn, item=model.items_["item_id"][0])
    assert of_item.index == 0
    assert (drawn.side[of_item.inside] == 1).all()
    assert found.inside.tolist() == sorted(found.inside.tolist())


def test_events_move_a_user_on_the_map(model, drawn, tmp_path):
    import copy

    moved = copy.copy(model)
    moved._fitted = copy.copy(model._fitted)
    user, items = model.users_["user_id"][3], model.items_["item_id"].to_list()
    with moved.follow(f"sqlite:///{tmp_path / 'events.db'}"):
        assert moved.place(drawn, user=user).index is not None
        moved.observe([Event(f"e{n}", user, items[n], 1, 1e9 + n) for n in range(8)])
        found = moved.place(drawn, user=user)
        assert found.index is None
        moved.observe([Event("new", "stranger", items[0], 1, 1e9)])
        assert moved.place(drawn, user="stranger").index is None


def test_what_cannot_be_placed_is_said(model, drawn, gaussian_model):
    with pytest.raises(ConfigError, match="exactly one"):
        model.place(drawn)
    with pytest.raises(UnknownIdError, match="no item 'x'"):
        model.place(drawn, item="x")
    with pytest.raises(ConfigError, match="one user expected, got 2"):
        model.place(drawn, user=model.users_["user_id"].to_list()[:2])
    other = simulate(n_users=5, n_items=5, n_interactions=20, rng=1).tables
    small = Penchant(epochs=1, rng=1, space=Space(dim=4)).fit(other)
    with pytest.raises(UnknownIdError, match="among the 5 known"):
        small.place(drawn, user="u1")


def test_a_distance_that_is_no_metric_is_refused(parts):
    from penchant import GaussianSpace, Latent

    space = GaussianSpace(dim=8, metric="kl", sigma_min=0.3)
    model = Penchant(space=space, latent=Latent(kind="variational"), epochs=1, rng=1).fit(parts[0])
    with pytest.raises(SpaceError, match="map: a metric is needed"):
        model.map(method="pca")


ODD = ['a"b', "<script>alert(1)</script>", "مرحبا بالعالم", "🦜🦜", "a.json", "x/y?z=1", "\u202eabc"]


def test_odd_ids_three_users_and_missing_columns():
    fields = (Field(name="role", side="user", kind="category"), Field(name="n", side="item", kind="numeric"))
    schema = Schema(
        fields=fields, user_id="user", item_id="item", user="user", item="item", label="label", item_name="title"
    )
    users = pl.DataFrame({"user": ODD[:3], "role": ["a", None, None]})
    items = pl.DataFrame(
        {"item": ODD, "n": [None] * 7, "title": [*ODD[::-1][:6], None]}, schema_overrides={"n": pl.Float64}
    )
    pairs = pl.DataFrame(
        {"user": ODD[:3] * 7, "item": [one for one in ODD for _ in range(3)], "label": [0, 1] * 10 + [1]}
    )
    model = Penchant(epochs=1, rng=1, space=Space(dim=4)).fit(Tables(schema, users, items, pairs))
    found = model.map()
    assert found.ids == (*ODD, *ODD[:3])
    assert found.labels[0] == ODD[-1]
    assert found.labels[6] is None
    assert "n" not in [column.name for column in found.columns]
    assert found.clusters == ()
    assert np.isfinite(found.xy).all()
    for side, key in (("item", ODD[0]), ("user", ODD[2])):
        assert found.ids[model.place(found, **{side: key}).index] == key


def test_it_is_the_same_question_as_place_of_the_estimator(model, drawn):
    located = locate(model._fitted, drawn)
    user = model.users_["user_id"][0]
    assert place(model._fitted, located, "user", user).inside.tolist() == model.place(drawn, user=user).inside.tolist()
