import numpy as np
import pytest
import torch

from penchant import DecoderOptions, EncoderOptions, Loss, Penchant, Space
from penchant.losses import KINDS
from penchant.tables import Field, TablesEncoder, simulate
from penchant.training import Batches, objective
from penchant.training.objective import _first_rows


def make(context: bool, **options):
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    if context:
        from dataclasses import replace

        schema = replace(
            tables.schema, fields=(*tables.schema.fields, Field(name="time", side="context", kind="numeric"))
        )
        tables = replace(tables, schema=schema)
    encoder = TablesEncoder.fit(tables)
    torch.manual_seed(0)
    small = EncoderOptions(hidden=(8,), dropout=0.0, unseen=0.0, bins=4)
    model = Penchant(
        space=Space(dim=4, norm=4), encoder=small, decoder=DecoderOptions(hidden=(8,)), **options
    ).build_module(encoder)
    batches = Batches(encoder.encode(tables), layouts=(encoder.user.layout, encoder.item.layout), batch_size=50, rng=0)
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
