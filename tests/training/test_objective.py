import numpy as np
import pytest
import torch

from penchant import DecoderOptions, EncoderOptions, Loss, Penchant, Space
from penchant.errors import ConfigError
from penchant.losses import KINDS, RANKING, combine
from penchant.nets import Latent, watched
from penchant.spaces import GaussianSpace
from penchant.tables import Field, TablesEncoder, simulate
from penchant.training import KINDS as SAMPLERS
from penchant.training import Batches, make_negatives, objective
from penchant.training.objective import _first_rows


def make(context: bool, history: bool = False, **options):
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    if context:
        from dataclasses import replace

        schema = replace(
            tables.schema, fields=(*tables.schema.fields, Field(name="time", side="context", kind="numeric"))
        )
        tables = replace(tables, schema=schema)
    if history:
        from dataclasses import replace

        past = Field(name="past", side="user", kind="history")
        tables = replace(tables, schema=replace(tables.schema, fields=(past, *tables.schema.fields)))
    encoder = TablesEncoder.fit(tables)
    torch.manual_seed(0)
    small = EncoderOptions(hidden=(8,), dropout=0.0, unseen=0.0, bins=4, history_dropout=0.0)
    options = {"space": Space(dim=4, norm=4)} | options
    model = Penchant(encoder=small, decoder=DecoderOptions(hidden=(8,)), **options).build_module(encoder)
    data = encoder.encode(tables)
    batches = Batches(
        data,
        layouts=(encoder.user.layout, encoder.item.layout),
        batch_size=50,
        rng=0,
        negatives=make_negatives(options.get("loss", Loss()), data, "cpu"),
    )
    return model, batches.batch(torch.arange(50))


@pytest.mark.parametrize("context", [False, True])
def test_terms_equal_plain_sums_over_the_pairs(context):
    model, batch = make(context)
    model.eval()
    terms = {
        k: float(v.detach())
        for k, v in objective(model, batch, Loss(delta=1, gamma=1, epsilon=1, read_share=1)).items()
    }
    users = model.encode_users(batch.users, batch.context, batch.user).detach().double()
    if not context:
        assert torch.equal(users.float(), model.encode_users(batch.users)[batch.user])
    items = model.encode_items(batch.items)[batch.item].detach().double()
    scale, p = float(model.scale.detach()), float(model.threshold.detach())
    neck = portrait_items = portrait_users = 0.0
    liked = [j for j in range(50) if batch.liked[j] > 0]
    for j in range(50):
        d = float(((users[j] - items[j]).abs() ** 4).mean() ** 0.25)
        y = 1 if j in liked else -1
        neck += np.log1p(np.exp(scale * y * (d - p))) / 50
    for j in liked:
        v_item, v_user = batch.item_vectors[batch.item[j]], batch.user_vectors[batch.user[j]]
        portrait_items += float(
            (model.decode("item", users[j][None].float())[0] - v_item).square().mean().detach()
        ) / len(liked)
        portrait_users += float(
            (model.decode("user", items[j][None].float())[0] - v_user).square().mean().detach()
        ) / len(liked)
    assert terms["neck"] == pytest.approx(neck, rel=1e-4)
    assert terms["portrait"] == pytest.approx(portrait_items + portrait_users, rel=1e-4)
    assert set(terms) == {"neck", "covariance", "variance", "reconstruction", "portrait"}


@pytest.mark.parametrize("context", [False, True])
def test_a_share_of_the_batch_stands_for_all_of_it(context):
    """Drawn anew each time, it gives the same loss on average."""
    model, batch = make(context)
    model.eval()
    with torch.no_grad():
        whole = objective(model, batch, Loss(read_share=1))["reconstruction"]
        parts = torch.stack([objective(model, batch, Loss(read_share=0.25))["reconstruction"] for _ in range(300)])
    assert parts.std() > 0
    assert float(parts.mean()) == pytest.approx(float(whole), rel=0.02)
    assert float(objective(model, batch, Loss(read_share=0.01))["portrait"].detach()) > 0


def test_only_terms_with_a_weight_are_computed():
    model, batch = make(False)
    assert set(objective(model, batch, Loss(beta=0, delta=0))) == {"neck"}


@pytest.mark.filterwarnings("ignore:loss.neck = 'literal'")
@pytest.mark.parametrize("neck", KINDS)
@pytest.mark.parametrize("context", [False, True])
def test_every_neck_gives_every_parameter_a_finite_gradient(neck, context):
    model, batch = make(context, loss=Loss(neck=neck))
    terms = objective(model, batch, Loss(neck=neck, gamma=1.0, epsilon=1.0, liked_weight=2.0))
    sum(terms.values()).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_weights_of_rows_count():
    model, batch = make(False)
    model.eval()
    heavy = batch._replace(weight=torch.where(torch.arange(50) < 10, 1.0, 0.0))
    alone = float(objective(model, heavy, Loss())["neck"].detach())
    users = model.encode_users(batch.users)[batch.user[:10]]
    items = model.encode_items(batch.items)[batch.item[:10]]
    d = model.space.base_distance(users, items)
    y = 2 * batch.liked[:10] - 1
    want = torch.nn.functional.softplus(model.scale * y * (d - model.threshold)).mean()
    assert alone == pytest.approx(float(want.detach()), rel=1e-5)


def test_first_rows_finds_the_first_of_each():
    assert _first_rows(torch.tensor([2, 0, 2, 1, 0]), 3).tolist() == [1, 3, 0]


# ---------------------------------------------------------------------- ranking


def plain_ranking(model, batch, loss):
    """The neck pair by pair, of points that are encoded one by one."""
    candidates = batch.candidates
    items = model.encode_items(candidates.items).detach().double()
    own = model.encode_items(batch.items).detach().double()
    users = model.encode_users(batch.users, batch.context, batch.user, batch.left_out).detach().double()
    tau, each = float(model.scale.detach()), []
    q = candidates.log_q.double().exp()

    def distance(x, y):
        return float(((x - y).abs() ** 4).mean() ** 0.25)

    for j in [j for j in range(len(batch.liked)) if batch.liked[j] > 0]:
        d = distance(users[j], own[batch.item[j]])
        free = [k for k in range(len(items)) if not candidates.known[batch.user[j], k]]
        others = [distance(users[j], items[k]) for k in free]
        if loss.neck == "softmax":
            rest = sum(np.exp(-tau * o) / float(q[k]) for o, k in zip(others, free, strict=True))
            each.append(np.log(np.exp(-tau * d) + rest) + tau * d)
        elif loss.neck == "bpr":
            each.append(np.mean([np.log1p(np.exp(tau * (d - o))) for o in others]))
        else:
            rank = sum(1 / float(q[k]) for o, k in zip(others, free, strict=True) if o < d + loss.margin)
            each.append(np.log1p(rank) * max(0, loss.margin + d - min(others)))
    return np.mean(each)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("neck", RANKING)
@pytest.mark.parametrize(("context", "history"), [(False, False), (True, False), (False, True)])
def test_ranking_necks_equal_plain_sums_over_likes_and_candidates(neck, sampler, context, history):
    torch.manual_seed(1)
    loss = Loss(neck=neck, negatives=sampler, n_negatives=11, margin=0.05, beta=0, delta=0)
    model, batch = make(context, history, loss=loss)
    model.eval()
    got = objective(model, batch, loss)
    assert set(got) == {"neck"}
    assert float(got["neck"].detach()) == pytest.approx(plain_ranking(model, batch, loss), rel=1e-4)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("neck", RANKING)
@pytest.mark.parametrize("context", [False, True])
def test_ranking_necks_give_every_parameter_but_the_threshold_a_finite_gradient(neck, sampler, context):
    loss = Loss(neck=neck, negatives=sampler, n_negatives=11, gamma=1.0, epsilon=1.0, zeta=1.0)
    model, batch = make(context, loss=loss)
    model.log_scale.requires_grad_(neck != "warp")
    combine(objective(model, batch, loss), loss)["total"].backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
    assert model.threshold.grad is None


@pytest.mark.parametrize("neck", RANKING)
def test_what_is_not_liked_is_no_target_and_weights_of_rows_count(neck):
    loss = Loss(neck=neck, beta=0, delta=0)
    model, batch = make(False, loss=loss)
    model.eval()
    liked = batch.liked.nonzero()[:, 0]
    value = objective(model, batch, loss)["neck"]
    weight = torch.where(batch.liked > 0, 2.0, 1000.0)
    torch.testing.assert_close(objective(model, batch._replace(weight=weight), loss)["neck"], value)
    first = torch.zeros(50).index_fill(0, liked[:3], 1.0)
    alone = objective(model, batch._replace(liked=first), loss)["neck"]
    weighted = objective(model, batch._replace(weight=first), loss)["neck"]
    torch.testing.assert_close(alone, weighted)
    none = objective(model, batch._replace(liked=torch.zeros(50)), loss)["neck"]
    assert float(none.detach()) == 0
    none.backward()


def test_ranking_necks_need_candidates():
    model, batch = make(False)
    with pytest.raises(ConfigError, match="'bpr' needs batches with negatives"):
        objective(model, batch, Loss(neck="bpr"))


# ---------------------------------------------------------------------- width


def test_the_width_is_that_of_a_field_drawn_anew_which_is_no_id():
    from penchant.nets.interval import interval_width

    model, batch = make(False)
    loss = Loss(zeta=1.0)
    net = model.item_encoder
    blocks = [b for b in net.layout.blocks if b.likelihood != "none"]
    assert len(blocks) < len(net.layout.blocks), "there is an id"
    want = {
        round(float(interval_width(net, batch.items, b.name, bound=model.space.bound).mean().detach()), 5)
        for b in blocks
    }
    found = {round(float(objective(model, batch, loss)["width"].detach()), 5) for _ in range(60)}
    assert found == want


def test_following_it_makes_items_narrower_and_without_a_weight_nothing_is_drawn():
    from penchant.nets.interval import interval_width

    model, batch = make(False)
    loss = Loss(alpha=0, beta=0, delta=0, zeta=1.0)
    net = model.item_encoder

    def widths():
        blocks = (b for b in net.layout.blocks if b.likelihood != "none")
        each = (interval_width(net, batch.items, b.name, bound=model.space.bound) for b in blocks)
        return np.array([float(width.mean().detach()) for width in each])

    optimiser, before = torch.optim.Adam(net.parameters(), lr=0.01), widths()
    for _ in range(60):
        optimiser.zero_grad()
        combine(objective(model, batch, loss), loss)["total"].backward()
        optimiser.step()
    assert (widths() < 0.6 * before).all()
    model.eval()
    before = torch.get_rng_state()
    assert "width" not in objective(model, batch, Loss(beta=0, delta=0))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_encoder_without_a_width_and_items_of_ids_alone_are_refused():
    from penchant._spec import Layout

    model, batch = make(False)
    model.item_encoder.layout = Layout(tuple(b for b in model.item_layout.blocks if b.likelihood == "none"))
    with pytest.raises(ConfigError, match=r"loss.zeta: an item column that is no id"):
        objective(model, batch, Loss(zeta=1.0, beta=0, delta=0))
    model.item_encoder = torch.nn.Module()
    model.encode_items = lambda features: torch.zeros(len(features), 4)
    with pytest.raises(ConfigError, match=r"loss.zeta: the width of a Module is not known"):
        objective(model, batch, Loss(zeta=1.0, beta=0, delta=0))


GAUSSIAN = {"space": GaussianSpace(dim=8), "latent": Latent(kind="variational", prior="fixed", prior_scale=0.2)}


@pytest.mark.parametrize("context", [False, True])
def test_the_divergence_of_an_epoch_is_that_of_every_user_and_item_once(context):
    """Per pair: summed over the pairs of all batches each user's counts once, however many pairs it has."""
    model, _ = make(context=False, **GAUSSIAN)
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    encoder = TablesEncoder.fit(tables)
    batches = Batches(encoder.encode(tables), layouts=(encoder.user.layout, encoder.item.layout), batch_size=64, rng=0)
    model.eval()
    loss = Loss(beta=0, delta=0, read_share=1)
    total = sum(float(objective(model, b, loss)["divergence"].detach()) * len(b.liked) for b in batches.epoch(0))
    expected = 0.0
    for rows, encode, every in (
        (batches.user, model.encode_users, batches.users),
        (batches.item, model.encode_items, batches.items),
    ):
        points = encode(every).detach().double()[rows.unique()]
        prior = torch.distributions.Normal(0.0, 0.2)
        own = torch.distributions.Normal(model.space.location(points), model.space.scale(points))
        expected += float(torch.distributions.kl_divergence(own, prior).sum())
    assert total == pytest.approx(expected, rel=1e-4)


def test_variational_latents_are_drawn_while_training_and_their_means_decoded():
    model, batch = make(context=False, **GAUSSIAN)
    loss = Loss(read_share=1)
    model.eval()
    still = [float(objective(model, batch, loss)["neck"].detach()) for _ in range(2)]
    assert still[0] == still[1]
    model.train()
    drawn = [float(objective(model, batch, loss)["neck"].detach()) for _ in range(2)]
    assert drawn[0] != drawn[1]
    points = model.encode_users(batch.users)
    assert torch.equal(model.decode("item", points), model.item_decoder(points[:, :4]))
    combine(objective(model, batch, loss), loss)["total"].backward()
    assert all(p.grad is not None for p in (*model.user_encoder.parameters(), *model.item_decoder.parameters()))
    assert "divergence" not in objective(model, batch, Loss(kappa=0))


def test_a_learned_prior_learns():
    latent = Latent(kind="variational", prior="learned")
    model, batch = make(context=False, **GAUSSIAN | {"latent": latent})
    objective(model, batch, Loss())["divergence"].backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in model.priors.parameters())


@pytest.mark.parametrize("neck", ["softmax", "bpr"])
@pytest.mark.parametrize("negatives", ["catalogue", "uniform"])
def test_ranking_necks_take_variational_latents(neck, negatives):
    loss = Loss(neck=neck, negatives=negatives, n_negatives=5)
    model, batch = make(context=False, loss=loss, **GAUSSIAN)
    total = combine(objective(model.train(), batch, loss), loss)["total"]
    total.backward()
    assert bool(torch.isfinite(total.detach()))


@pytest.mark.parametrize(("context", "history"), [(False, False), (True, False), (False, True)])
def test_contrastive_latents_pay_for_moving_with_their_fields(context, history):
    model, batch = make(context, history, latent=Latent(kind="contrastive", noise=0.3))
    model.eval()
    torch.manual_seed(0)
    drawn = [float(objective(model, batch, Loss())["jacobian"].detach()) for _ in range(60)]
    with watched(model.item_encoder) as inputs:
        items = model.encode_items(batch.items)
    exact = sum(
        float(torch.autograd.grad(items[row, axis], inputs[0], retain_graph=True)[0].square().sum())
        for row in range(len(items))
        for axis in range(4)
    ) / items.numel()  # fmt: skip
    assert np.mean(drawn) > 0.8 * exact, "of users as well"
    assert "jacobian" not in objective(model, batch, Loss(eta=0))
    combine(objective(model.train(), batch, Loss()), Loss())["total"].backward()
    noisy = [float(objective(model, batch, Loss(eta=0))["neck"].detach()) for _ in range(2)]
    assert noisy[0] != noisy[1]
