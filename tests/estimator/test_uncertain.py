import numpy as np
import pytest

from penchant import Penchant
from penchant.errors import ConfigError, SpaceError
from penchant.nets import Latent
from penchant.spaces import GaussianSpace


def test_uncertainty_is_that_of_the_points(gaussian_model):
    model = gaussian_model
    users, space = model.users_["user_id"].to_list()[:7], model.space_
    frame = model.uncertainty("user", users)
    assert frame.columns == ["user_id", "sigma", "deviation"]
    coordinates = model.encode("user", users)[:, 12:]
    sigma = 0.01 + 0.99 * (coordinates.astype(np.float64) + 1) / 2
    assert frame["sigma"].to_numpy() == pytest.approx(np.sqrt((sigma**2).mean(1)), rel=1e-4)
    assert frame["deviation"].is_between(0, sigma.max()).all()
    assert model.uncertainty("item", model.items_["item_id"][0]).columns == ["item_id", "sigma", "deviation"]
    assert space.axes == 12


def test_rows_of_features_and_nobody_can_be_asked_about(gaussian_model):
    assert gaussian_model.uncertainty("user", [{}]).columns[0] == "row"
    assert gaussian_model.uncertainty("user", []).height == 0


def test_the_deviation_is_about_that_of_drawn_distances(gaussian_model):
    """Users are drawn from their Gaussians, and distances to all items looked at."""
    model, rng = gaussian_model, np.random.default_rng(0)
    user = model.users_["user_id"][3]
    point, items = model.encode("user", user)[0], model.encode("item", model.items_["item_id"].to_list())
    sigma = 0.01 + 0.99 * (point[12:] + 1) / 2
    places = np.clip(point[:12] + sigma * rng.standard_normal((4000, 12)), -1, 1)
    square = ((places[:, None] - items[:, :12]) ** 2).mean(2) + ((point[12:] - items[:, 12:]) ** 2 * 0.495**2).mean(1)
    drawn = np.sqrt((np.sqrt(square).var(0)).mean())
    assert model.uncertainty("user", user)["deviation"][0] == pytest.approx(drawn, rel=0.25)


def test_portraits_say_how_sure_they_are(gaussian_model, model):
    portrait = gaussian_model.portrait(gaussian_model.users_["user_id"][0])
    assert portrait.sure.startswith("How sure: the place is known to ±0.")
    assert portrait.to_dict()["sure"] == portrait.sure
    assert portrait.sure in portrait.to_html()
    assert model.portrait(model.users_["user_id"][0], details=False).sure == ""


def test_attitudes_reorder_and_say_by_how_much(gaussian_model, model):
    user = gaussian_model.users_["user_id"].to_list()[:3]
    frames = {a: gaussian_model.recommend(user, n=8, attitude=a) for a in ("mean", "optimistic", "pessimistic")}
    assert "deviation" not in frames["mean"].columns
    for sign, name in ((-1, "optimistic"), (1, "pessimistic")):
        frame = frames[name]
        by = frame["distance"] + sign * frame["deviation"]
        expected = gaussian_model.calibration_.probability(by.to_numpy())
        assert frame["score"].to_numpy() == pytest.approx(expected)
        for _, own in frame.group_by("user_id"):
            assert own.sort("rank")["score"].is_sorted(descending=True)
    for point in (model, Penchant(latent=Latent(kind="contrastive"))):
        if point is model:
            with pytest.raises(ConfigError, match="attitude = 'optimistic': the points of this model do not say"):
                point.recommend(user, attitude="optimistic")
    with pytest.raises(ConfigError, match="uncertainty: "):
        model.uncertainty("user", user)


@pytest.mark.parametrize("metric", ["sup", "fisher_rao", "hellinger", "kl"])
def test_a_model_of_any_metric_answers_what_it_can(metric, parts, tmp_path):
    space = GaussianSpace(dim=12, metric=metric, sigma_min=0.1)
    model = Penchant(space=space, latent=Latent(kind="variational"), epochs=1, batch_size=256, threshold=0.3, rng=2)
    model.fit(parts[0], parts[1])
    user, item = model.users_["user_id"][0], model.items_["item_id"][0]
    assert model.recommend(user, n=3).height == 3
    assert model.predict_proba(parts[2])["probability"].is_between(0, 1).all()
    assert model.portraits([user]).height == 1
    for question in (lambda: model.portrait(user), lambda: model.audience(item), lambda: model.explain(user, item),
                     lambda: model.related(item=item), lambda: model.what_if(user, {"age": 30})):  # fmt: skip
        if metric == "kl":
            with pytest.raises(SpaceError, match="a metric is needed"):
                question()
        else:
            question()
    assert model.related(user=user).height == 10
    with pytest.raises((ConfigError, SpaceError)):
        model.group([user])
    with pytest.raises(ConfigError, match="GaussianSpace"):
        model.certify(user, fixed={})
    model.save(tmp_path / "model")
    again = Penchant.load(tmp_path / "model")
    assert again.space_ == model.space_
    assert again.predict_proba(parts[2]).equals(model.predict_proba(parts[2]))


def test_proved_ranges_hold_for_the_means_of_the_ball(gaussian_model):
    user = gaussian_model.users_["user_id"][1]
    frame = gaussian_model.ranges(user, distance=0.2)
    assert (frame["low"] <= frame["decoded"] + 1e-6).all()
    assert (frame["decoded"] <= frame["high"] + 1e-6).all()
    assert (frame["low"] <= frame["found_low"] + 1e-6).all()
    space, centre = gaussian_model.space_, gaussian_model.encode("user", user)
    rng = np.random.default_rng(1)
    away = rng.standard_normal((2000, 24)) * np.where(np.arange(24) < 12, 0.2, 0.01)
    points = np.clip(centre + away, -1, 1).astype(np.float32)
    import torch

    inside = space.base_distance(torch.from_numpy(points), torch.from_numpy(centre)[0]).numpy() <= 0.2
    assert inside.sum() > 100
    decoded = gaussian_model._fitted.decode("item", points[inside])
    assert (decoded >= frame["low"].to_numpy() - 1e-6).all()
    assert (decoded <= frame["high"].to_numpy() + 1e-6).all()
