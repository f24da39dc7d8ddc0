import pytest
import torch

from penchant._spec import FIRST, Bag, Block, Layout
from penchant.errors import ConfigError
from penchant.nets import EncoderOptions, FieldEmbedding, MLPEncoder, missing_rows, take
from penchant.nets.vertices import input_columns, read_offsets, vertices_of, with_field
from penchant.testing.nets import random_features


def an_encoder(layout, inputs="embedding", **options) -> MLPEncoder:
    torch.manual_seed(0)
    encoder = MLPEncoder(layout, 3, EncoderOptions(**{"inputs": inputs, "embedding_dim": 4, "bins": 3, **options}))
    with torch.no_grad():
        for parameter in encoder.fields.parameters():
            parameter.normal_()
    return encoder.double().eval()


def double(features):
    return type(features)(features.dense.double(), features.codes, features.bags)


@pytest.mark.parametrize("inputs", ["embedding", "vector"])
def test_a_field_fills_its_own_columns(layout, inputs):
    encoder = an_encoder(layout, inputs)
    columns = input_columns(encoder)
    assert set(columns) == {block.name for block in layout.blocks}
    assert sum(c.stop - c.start for c in columns.values()) == encoder.fields.width
    rows, missing = double(random_features(layout, 30)), double(missing_rows(layout, 30))
    before = encoder.fields(rows)[0]
    for block in layout.blocks:
        values = missing.bags[0] if block.form == "bag" else None
        if block.form == "code":
            values = missing.codes[:, 0]
        elif block.form == "dense":
            values = torch.full((30, block.size), torch.nan)
        changed = (encoder.fields(with_field(rows, layout, block, values))[0] != before).any(0)
        own = columns[block.name]
        assert changed[own].any() == (own.stop > own.start), block.name
        assert not changed[: own.start].any(), block.name
        assert not changed[own.stop :].any(), block.name


def test_values_are_put_into_rows_and_nothing_else_changes(layout):
    rows = random_features(layout, 5)
    blocks = {block.name: block for block in layout.blocks}
    codes = torch.tensor([2, 3, 4, 5, 2])
    changed = with_field(rows, layout, blocks["job"], codes)
    assert torch.equal(changed.codes[:, 0], codes)
    assert torch.equal(changed.codes[:, 1], rows.codes[:, 1])
    one = take(rows, torch.tensor([3]))
    taste = torch.rand(4, 3)
    changed = with_field(one, layout, blocks["taste"], taste)
    assert torch.equal(changed.dense[:, 2:5], taste)
    assert torch.equal(changed.codes, one.codes.expand(4, -1))
    bag = Bag(torch.tensor([2, 5]), torch.tensor([0, 2]))
    changed = with_field(rows, layout, blocks["tags"], bag)
    assert changed.bags[0].values.tolist() == [2, 5] * 5
    assert changed.bags[0].offsets.tolist() == [0, 2, 4, 6, 8, 10]
    assert torch.equal(rows.codes, random_features(layout, 5).codes), "what was given is left alone"


@pytest.mark.parametrize("inputs", ["embedding", "vector"])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("bins", [0, 3])
def test_what_a_field_gives_is_made_of_its_vertices(layout, inputs, wide, bins):
    encoder = an_encoder(layout, inputs, wide=wide, bins=bins)
    encoder.prepare(double(random_features(layout, 200, rng=5)))
    row = double(take(random_features(layout, 9), torch.tensor([4])))
    generator = torch.Generator().manual_seed(0)
    for block in layout.blocks:
        found = vertices_of(encoder, block)
        deep, more = read_offsets(encoder, row, block, found.values, found.base, encoder.fields)
        offsets = deep if more is None else torch.cat([deep, more], 1)
        for _ in range(20):
            value, shares = a_value(block, found, generator)
            got_deep, got_more = read_offsets(encoder, row, block, value, found.base, encoder.fields)
            got = got_deep if got_more is None else torch.cat([got_deep, got_more], 1)
            torch.testing.assert_close(got[0], shares @ offsets, msg=f"{block.name}: {found.form}")


def a_value(block, found, generator):
    """A random value of a field, and the share that each vertex has in it."""
    n = len(found.values.offsets) - 1 if isinstance(found.values, Bag) else len(found.values)
    if found.form == "choice":
        pick = int(torch.randint(n, (1,), generator=generator))
        return found.values[pick : pick + 1], torch.eye(n, dtype=torch.float64)[pick]
    if found.form in ("mean", "sum"):
        there = torch.rand(n, generator=generator) < 0.4
        codes = found.values.values[there]
        share = there.double() / (max(1, len(codes)) if found.form == "mean" else 1)
        return Bag(codes, torch.tensor([0, len(codes)])), share
    x = torch.rand(1, block.size, generator=generator, dtype=torch.float64)
    if found.form == "axes":
        return x, x[0]
    knots = found.values[:, 0]
    before = int((torch.searchsorted(knots, x[0], right=True) - 1).clamp(0, n - 2))
    part = (x[0, 0] - knots[before]) / (knots[before + 1] - knots[before])
    share = torch.zeros(n, dtype=torch.float64)
    share[before], share[before + 1] = 1 - part, part
    return x, share


def test_equal_quantiles_are_a_step_between_two_knots():
    layout = Layout((Block("x", "dense", 1, 1, "square"),))
    encoder = an_encoder(layout, bins=4)
    column = torch.full((100, 1), 0.5)
    column[:20] = torch.linspace(0, 1, 20)[:, None]
    encoder.prepare(double(type(random_features(layout, 1))(column, torch.zeros(100, 0).long(), ())))
    knots = vertices_of(encoder, layout.blocks[0]).values[:, 0]
    step = knots[(knots >= 0.5) & (knots < 0.51)]
    assert len(step) == 2
    assert float(step[1] - step[0]) == pytest.approx(1e-6, rel=1e-3)


def test_a_field_without_known_values_has_no_vertices():
    layout = Layout((Block("job", "code", FIRST, 0, "categorical"), Block("x", "dense", 1, 1, "square")))
    with pytest.raises(ConfigError, match="job: the training rows have no value"):
        vertices_of(an_encoder(layout), layout.blocks[0])


def test_many_values_are_read_in_parts(layout):
    many = Layout((Block("id", "code", 10_000, 0, "none"),))
    encoder = an_encoder(many)
    assert isinstance(encoder.fields, FieldEmbedding)
    found = vertices_of(encoder, many.blocks[0])
    deep, wide = read_offsets(
        encoder, double(missing_rows(many, 1)), many.blocks[0], found.values, found.base, encoder.fields
    )
    table = encoder.fields.code_table[FIRST:]
    torch.testing.assert_close(torch.cat([deep, wide], 1), table - table[0])
