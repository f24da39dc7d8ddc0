import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import Block, Layout
from penchant.nets import (
    EncoderOptions,
    FieldEmbedding,
    FieldVector,
    PiecewiseLinear,
    missing_rows,
    vectorise,
)
from penchant.testing.nets import random_features


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.integers(1, 8))
def test_piecewise_coordinates_follow_their_formula(values, bins):
    pieces = PiecewiseLinear(1, bins)
    x = torch.tensor(values)[:, None]
    got = pieces(x)[:, 0]
    for row, value in zip(got.tolist(), values, strict=True):
        want = [min(1.0, max(0.0, value * bins - t)) for t in range(bins)]
        assert row == pytest.approx(want, abs=1e-5)
    assert torch.allclose(got.sum(1) / bins, x[:, 0], atol=1e-5), "evenly spaced edges: the sum gives the number back"


def test_piecewise_edges_lie_at_quantiles_and_equal_ones_make_a_step():
    pieces = PiecewiseLinear(2, 4)
    x = torch.stack([torch.linspace(0, 1, 101) ** 2, torch.full((101,), 0.5)], 1)
    x[3, 0] = torch.nan
    pieces.fit(x)
    assert pieces.edges[0, 2] == pytest.approx(0.26, abs=0.02)
    steps = pieces(torch.tensor([[0.0, 0.4], [1.0, 0.6], [torch.nan, 0.5]]))
    assert steps[0].eq(0).all()
    assert steps[1].eq(1).all()
    assert steps[2, 0].eq(0).all()


def test_one_look_up_serves_deep_and_first_order_parts(layout):
    torch.manual_seed(1)
    fields = FieldEmbedding(layout, 5, EncoderOptions(embedding_dim=4, bins=3))
    with torch.no_grad():
        fields.code_table.normal_()
    deep, wide = fields(random_features(layout, 9))
    assert deep.shape == (9, 4 * 6) == (9, fields.width)
    assert wide.shape == (9, 5)
    assert FieldEmbedding(layout, 5, EncoderOptions(wide=False))(random_features(layout, 9))[1] is None


def test_the_first_order_part_starts_at_nothing(layout):
    wide = FieldEmbedding(layout, 5, EncoderOptions())(random_features(layout, 9))[1]
    assert wide.abs().max() == 0


def test_a_bag_is_the_mean_of_its_values_and_missing_numbers_have_a_place():
    layout = Layout(
        (
            Block("t", "bag", 5, 3, "binary"),
            Block("x", "dense", 1, 1, "square"),
            Block("v", "dense", 2, 2, "square"),
        )
    )
    fields = FieldEmbedding(layout, 2, EncoderOptions(embedding_dim=3, bins=0))
    rows = random_features(layout, 6)
    deep, _ = fields(rows)
    table = fields.bag_tables[0][:, :3]
    for j in range(6):
        values = rows.bags[0].values[rows.bags[0].offsets[j] : rows.bags[0].offsets[j + 1]]
        want = table[values].mean(0) if len(values) else torch.zeros(3)
        torch.testing.assert_close(deep[j, 6:9], want)
    gone, _ = fields(missing_rows(layout, 1))
    places = torch.cat([fields.scalars[0, -1, :3], fields.vectors[0][-1, :3]])
    torch.testing.assert_close(gone[0, :6], places)


def test_scaled_features_alone_have_a_learned_place_for_the_missing(layout):
    fields = FieldVector(layout)
    features = random_features(layout, 9)
    vector, wide = fields(features)
    assert wide is None
    assert not vector.isnan().any()
    known = ~vectorise(features, layout).isnan()
    assert torch.equal(vector[known], vectorise(features, layout)[known])
