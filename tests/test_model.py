from dataclasses import replace

import pytest
import torch

from penchant._spec import Block, Layout
from penchant.errors import ConfigError
from penchant.model import DualAutoencoder
from penchant.nets import DecoderOptions, EncoderOptions, Latent, is_plain
from penchant.spaces import GaussianSpace, Space
from penchant.testing.nets import random_features


def build(layout, context=Layout(()), **options):
    torch.manual_seed(0)
    settings = {
        "space": Space(dim=4),
        "encoder": EncoderOptions(hidden=(8,)),
        "decoder": DecoderOptions(hidden=(8,)),
    }
    return DualAutoencoder(user=layout, item=layout, context=context, **{**settings, **options}).eval()


@pytest.mark.parametrize("box", ["tanh", "sigmoid"])
def test_points_stay_inside_the_box_and_decoded_vectors_inside_the_unit_cube(layout, box):
    model = build(layout, space=Space(dim=4, box=box))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(20)
    features = random_features(layout, 50)
    for side in ("user", "item"):
        points = model.encode(side, features)
        assert points.min() >= model.space.low
        assert points.max() <= model.space.high
        decoded = model.decode(side, points)
        assert decoded.shape == (50, layout.width)
        assert decoded.min() >= 0
        assert decoded.max() <= 1


def test_users_and_items_have_networks_of_their_own(layout):
    model = build(layout)
    features = random_features(layout, 5)
    assert not torch.equal(model.encode_users(features), model.encode_items(features))
    points = model.encode_items(features)
    assert not torch.equal(model.decode("user", points), model.decode("item", points))


def test_a_situation_moves_a_user_and_none_is_a_missing_one(layout, context):
    model = build(layout, context)
    features = random_features(layout, 5)
    alone = model.encode_users(features)
    assert not torch.equal(alone, model.encode_users(features, random_features(context, 5, rng=3)))
    assert alone.shape == (5, 4)


def test_decoders_start_at_the_mean_of_the_training_rows(layout):
    model = build(layout, decoder=DecoderOptions(hidden=(), linear=False))
    features = random_features(layout, 60)
    model.prepare(features, features)
    from penchant.nets import vectorise

    at_zero = model.decode("item", torch.zeros(1, 4))[0]
    torch.testing.assert_close(
        at_zero, vectorise(features, layout).nanmean(0).clamp(0.001, 0.999), atol=1e-4, rtol=1e-4
    )


def test_the_neck_learns_only_where_it_is_asked_to(layout):
    assert build(layout).threshold.requires_grad
    fixed = build(layout, learn_neck=False, threshold=0.7, scale=3.0)
    assert not fixed.threshold.requires_grad
    assert fixed.scale.item() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 2.0}, "diameter"),
        ({"threshold": 0.0}, "diameter"),
        ({"scale": 0.0}, "scale"),
        ({"encoder": EncoderOptions(kind="transformer")}, "one of mlp"),
    ],
)
def test_options_that_make_no_model_are_refused(layout, options, said):
    with pytest.raises(ConfigError, match=said):
        build(layout, **options)


def test_scaled_features_alone_need_something_to_scale(layout):
    ids = Layout((Block("id", "code", 9, 0, "none"),))
    vector = EncoderOptions(inputs="vector", hidden=(8,))
    with pytest.raises(ConfigError, match="a user column that is no id"):
        DualAutoencoder(user=ids, item=layout, space=Space(dim=4), encoder=vector, decoder=DecoderOptions())


def test_gaussians_and_variational_latents_go_together(layout):
    with pytest.raises(ConfigError, match=r"latent.kind = 'variational' needs a space of Gaussians"):
        build(layout, space=Space(dim=4), latent=Latent(kind="variational"))
    for kind in ("point", "contrastive"):
        with pytest.raises(ConfigError, match="nothing would keep the Gaussians from becoming points"):
            build(layout, space=GaussianSpace(dim=8), latent=Latent(kind=kind))
    model = build(layout, space=GaussianSpace(dim=8), latent=Latent(kind="variational"))
    assert model.user_encoder.dim == 8, "means and deviations are encoded"
    assert model.item_decoder.linear.in_features == 4, "means are decoded"


CROSSED = EncoderOptions(kind="wide_deep", hidden=(8,), crosses=(("age", "job"), ("hour", "place")))


def test_a_network_that_would_add_nothing_is_a_plain_one(layout):
    for kind in ("gru", "lstm", "attention", "wide_deep"):
        model = build(layout, encoder=EncoderOptions(kind=kind, hidden=(8,)))
        assert is_plain(model.user_encoder)
        assert is_plain(model.item_encoder)
    model = build(layout, encoder=EncoderOptions(kind="gru", hidden=(8,)), n_items=5)
    assert [type(net).__name__ for net in (model.user_encoder, model.item_encoder)] == ["GRUEncoder", "MLPEncoder"]


def test_each_side_crosses_its_own_fields(layout, context):
    options = {"space": Space(dim=4), "decoder": DecoderOptions(hidden=(8,))}
    model = DualAutoencoder(user=layout, item=context, encoder=CROSSED, **options)
    assert [net.options.crosses for net in (model.user_encoder, model.item_encoder)] == [
        (("age", "job"),), (("hour", "place"),),
    ]  # fmt: skip
    mixed = EncoderOptions(kind="wide_deep", crosses=(("age", "hour"),))
    with pytest.raises(ConfigError, match=r"of one side expected, of users \(age, member, job, user_id, tags\) or"):
        DualAutoencoder(user=layout, item=context, encoder=mixed, **options)
    with pytest.raises(ConfigError, match="'age' cannot be crossed here: one of hour, place"):
        DualAutoencoder(user=layout, item=context, encoder=EncoderOptions(), item_encoder=CROSSED, **options)


def test_an_item_encoder_with_the_crosses_of_both_sides_has_its_own_of_them(layout, context):
    """As a partial table in a file makes it: what it does not name is as the users'."""
    model = DualAutoencoder(
        user=layout, item=context, encoder=CROSSED, item_encoder=replace(CROSSED, hidden=()), space=Space(dim=4),
        decoder=DecoderOptions(hidden=(8,)),
    )  # fmt: skip
    assert model.user_encoder.options == replace(CROSSED, crosses=(("age", "job"),))
    assert model.item_encoder.options == replace(CROSSED, crosses=(("hour", "place"),), hidden=())


def test_the_sides_may_have_networks_of_different_shape(layout):
    model = build(layout, item_encoder=EncoderOptions(kind="wide_deep", hidden=(), crosses=(("age", "job"),)))
    assert [len(net.rest) for net in (model.user_encoder, model.item_encoder)] == [3, 0]
    assert model.item_encoder.crosses is not None
