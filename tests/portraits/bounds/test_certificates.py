import copy
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant._spec import FIRST, MISSING, UNSEEN, Bag, Block, Features, Layout
from penchant.errors import ConfigError, SpaceError
from penchant.nets import EncoderOptions, MLPEncoder, WideDeepEncoder, take
from penchant.portraits.bounds import OneOf, Region, SetOf, Within, anything, certify
from penchant.portraits.bounds._items import Items
from penchant.spaces import UniformSpace

LAYOUT = Layout(
    (
        Block("year", "dense", 1, 1, "square"),
        Block("colour", "dense", 1, 1, "binary"),
        Block("taste", "dense", 2, 2, "square"),
        Block("language", "code", 6, 4, "categorical"),
        Block("id", "code", 9, 0, "none"),
        Block("genres", "bag", 6, 4, "binary"),
        Block("topics", "bag", 5, 3, "binary"),
    )
)
ROW = Features(
    torch.tensor([[0.4, 1.0, 0.25, 0.75]]),
    torch.tensor([[3, 4]]),
    (Bag(torch.tensor([2, 4]), torch.tensor([0, 2])), Bag(torch.tensor([MISSING]), torch.tensor([0, 1]))),
)
BLOCKS = {block.name: block for block in LAYOUT.blocks}


def an_encoder(seed=0, *, dim=3, gain=1.5, **options) -> MLPEncoder:
    torch.manual_seed(seed)
    options = {"hidden": (8,), "embedding_dim": 3, "bins": 4, **options}
    encoder = MLPEncoder(LAYOUT, dim, EncoderOptions(**options))
    rows = torch.rand(50, 4)
    rows[:20, 0] = 0.5  # two equal quantiles: a step
    encoder.prepare(
        Features(rows, torch.full((50, 2), FIRST), (Bag(torch.tensor([]).long(), torch.zeros(51).long()),) * 2)
    )
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.copy_(torch.randn_like(parameter) * gain / max(1, parameter.shape[-1]) ** 0.5)
    return encoder.eval()


def bag_of(*codes: int) -> Bag:
    return Bag(torch.tensor(codes, dtype=torch.int64), torch.tensor([0, len(codes)]))


def rows_of(region: Region, generator: torch.Generator, n: int) -> Features:
    """n random items of a region; ends and knots of numbers among them."""
    dense, codes = region.row.dense.repeat(n, 1), region.row.codes.repeat(n, 1)
    bags = [[bag.values.tolist()] * n for bag in region.row.bags]
    place = 0
    for block in LAYOUT.blocks:
        freedom = region.free.get(block.name)
        if block.form == "dense":
            if isinstance(freedom, Within):
                low, high = torch.tensor(freedom.low), torch.tensor(freedom.high)
                unit = torch.rand(n, block.size, generator=generator)
                unit = torch.where(torch.rand(unit.shape, generator=generator) < 0.3, unit.round(), unit)
                dense[:, place : place + block.size] = low + (high - low) * unit
            elif isinstance(freedom, OneOf):
                pick = torch.randint(len(freedom.values), (n,), generator=generator)
                dense[:, place] = torch.tensor(freedom.values)[pick]
            place += block.size
        elif isinstance(freedom, OneOf):
            pick = torch.randint(len(freedom.values), (n,), generator=generator)
            codes[:, LAYOUT.of("code").index(block)] = torch.tensor(freedom.values)[pick]
        elif isinstance(freedom, SetOf):
            every, most = sets_of(freedom), None
            assert most is None
            picks = torch.randint(len(every), (n,), generator=generator).tolist()
            bags[LAYOUT.of("bag").index(block)] = [every[pick] for pick in picks]
    return Features(dense, codes, tuple(packed(lists) for lists in bags))


def sets_of(freedom: SetOf) -> list[list[int]]:
    sizes = range(len(freedom.codes) + 1)
    every = ([*freedom.always, *more] for n in sizes for more in itertools.combinations(freedom.codes, n))
    most = math.inf if freedom.most is None else freedom.most
    return [sorted(one) for one in every if freedom.least <= len(one) <= most]


def packed(lists: list[list[int]]) -> Bag:
    lengths = torch.tensor([len(one) for one in lists])
    values = torch.tensor(list(itertools.chain(*lists)), dtype=torch.int64)
    return Bag(values, torch.nn.functional.pad(lengths.cumsum(0), (1, 0)))


def every_item(region: Region) -> Features:
    """All items of a region without numbers that are free to move."""
    choices = []
    for name, freedom in region.free.items():
        values = sets_of(freedom) if isinstance(freedom, SetOf) else list(freedom.values)
        choices.append([(name, value) for value in values])
    single = [{**dict(one)} for one in itertools.product(*choices)]
    dense, codes = region.row.dense.repeat(len(single), 1), region.row.codes.repeat(len(single), 1)
    bags = [[bag.values.tolist()] * len(single) for bag in region.row.bags]
    columns = {"year": 0, "colour": 1}
    for j, item in enumerate(single):
        for name, value in item.items():
            if name in columns:
                dense[j, columns[name]] = value
            elif name in ("language", "id"):
                codes[j, ("language", "id").index(name)] = value
            else:
                bags[("genres", "topics").index(name)][j] = value
    return Features(dense, codes, tuple(packed(lists) for lists in bags))


def distance_of(encoder, space, centre, features) -> torch.Tensor:
    with torch.no_grad():
        return space.base_distance(space.bound(encoder(features)), centre).double()


FREEDOMS = {
    "year": [Within(), Within(0.2, 0.6), Within(0.3, 0.3), OneOf((0.1, math.nan, 0.9))],
    "colour": [OneOf((0, 1)), OneOf((1.0, math.nan))],
    "taste": [Within(), Within((0.1, 0.2), (0.3, 0.9))],
    "language": [OneOf((2, 3, 4, 5)), OneOf((UNSEEN, MISSING, 3))],
    "id": [OneOf((2, 5, 8))],
    "genres": [SetOf((2, 3, 4, 5)), SetOf((2, 3), always=(5,)), SetOf((2, 3, 4), least=1, most=2), SetOf((), (3, 4))],
    "topics": [SetOf((2, 3, 4)), SetOf((4,), always=(2,), most=2)],
}

freedoms = {name: st.sampled_from(each) for name, each in FREEDOMS.items()}
regions = st.fixed_dictionaries({}, optional=freedoms)
finite_regions = st.fixed_dictionaries({}, optional={n: f for n, f in freedoms.items() if n not in ("year", "taste")})
nets = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**20),
        "hidden": st.sampled_from([(), (6,), (8, 8), (5, 5, 5)]),
        "inputs": st.sampled_from(["embedding", "embedding", "vector"]),
        "wide": st.booleans(),
        "bins": st.sampled_from([0, 1, 5]),
        "dim": st.sampled_from([1, 3, 6]),
        "gain": st.sampled_from([0.3, 1.0, 4.0]),
    }
)
spaces = st.tuples(st.sampled_from([1.0, 1.5, 2.0, 4.0, 20.0, math.inf]), st.sampled_from(["tanh", "sigmoid"]))


@settings(max_examples=80)
@given(regions, nets, spaces, st.sampled_from([1, 9, 60]), st.sampled_from([0.1, 0.3, 0.6, 1.2]))
def test_no_item_of_a_region_is_outside_its_bounds_or_against_its_decision(free, net, how, pieces, threshold):
    encoder, region = an_encoder(**net), Region(ROW, free)
    space = UniformSpace(dim=net["dim"], norm=how[0], box=how[1])
    generator = torch.Generator().manual_seed(net["seed"])
    centre = space.low + (space.high - space.low) * torch.rand(net["dim"], generator=generator)
    answer = certify(encoder, region, space=space, centre=centre, threshold=threshold, pieces=pieces)
    distance = distance_of(encoder, space, centre, rows_of(region, generator, 400))
    assert answer.pieces <= pieces
    assert (distance >= answer.lower).all()
    assert (distance <= answer.upper).all()
    if answer.decision != "open":
        assert answer.proved
        assert ((distance <= threshold) == (answer.decision == "liked")).all()
    elif answer.proved:
        assert answer.nearest.distance <= threshold < answer.farthest.distance
    assert answer.lower <= answer.nearest.distance <= answer.farthest.distance <= answer.upper


@settings(max_examples=40)
@given(finite_regions, nets, spaces, st.floats(0.05, 1.5))
def test_with_finitely_many_items_the_answer_is_that_of_asking_all(free, net, how, threshold):
    encoder, region = an_encoder(**net), Region(ROW, free)
    space = UniformSpace(dim=net["dim"], norm=how[0], box=how[1])
    centre = space.low + (space.high - space.low) * torch.rand(net["dim"])
    distance = distance_of(encoder, space, centre, every_item(region))
    if (distance - threshold).abs().min() < 1e-5:
        return  # rounding may differ with the size of a batch
    answer = certify(encoder, region, space=space, centre=centre, threshold=threshold, pieces=10**5)
    liked = distance <= threshold
    assert answer.proved
    assert answer.decision == ("liked" if liked.all() else "open" if liked.any() else "not liked")
    assert answer.lower <= distance.min() + 1e-6
    assert answer.upper >= distance.max() - 1e-6


def test_ten_thousand_items_and_a_greedy_search_stay_inside():
    encoder, space = an_encoder(5, dim=8, hidden=(16, 16)), UniformSpace(dim=8, norm=4.0)
    region = Region(ROW, {name: anything(BLOCKS[name]) for name in ("year", "colour", "taste", "language", "genres")})
    centre, generator = torch.zeros(8), torch.Generator().manual_seed(0)
    answer = certify(encoder, region, space=space, centre=centre, threshold=1.9, pieces=200)
    distance = distance_of(encoder, space, centre, rows_of(region, generator, 10_000))
    assert (distance >= answer.lower).all()
    assert (distance <= answer.upper).all()
    items = rows_of(region, generator, 1)
    for sign in (1, -1):  # change one field at a time while that helps
        best = items
        for _ in range(10):
            rows = rows_of(region, generator, 200)
            all_rows = joined([best, *(mixed(best, rows, name) for name in region.free)])
            found = sign * distance_of(encoder, space, centre, all_rows)
            best = take(all_rows, found.argmax()[None])
        assert answer.lower <= sign * float(found.max()) <= answer.upper or sign < 0
        assert answer.lower <= float(distance_of(encoder, space, centre, best)) <= answer.upper


def mixed(best: Features, rows: Features, name: str) -> Features:
    """The best item with one field as in each of the rows."""
    n = len(rows)
    dense, codes, bags = best.dense.repeat(n, 1), best.codes.repeat(n, 1), [repeated(b, n) for b in best.bags]
    if name in ("year", "colour", "taste"):
        columns = {"year": slice(0, 1), "colour": slice(1, 2), "taste": slice(2, 4)}[name]
        dense[:, columns] = rows.dense[:, columns]
    elif name == "language":
        codes[:, 0] = rows.codes[:, 0]
    else:
        bags[0] = rows.bags[0]
    return Features(dense, codes, tuple(bags))


def repeated(bag: Bag, n: int) -> Bag:
    return Bag(bag.values.repeat(n), torch.arange(n + 1) * len(bag.values))


def joined(parts: list[Features]) -> Features:
    bags = []
    for j in range(2):
        values = torch.cat([part.bags[j].values for part in parts])
        lengths = torch.cat([part.bags[j].offsets.diff() for part in parts])
        bags.append(Bag(values, torch.nn.functional.pad(lengths.cumsum(0), (1, 0))))
    return Features(torch.cat([p.dense for p in parts]), torch.cat([p.codes for p in parts]), tuple(bags))


def test_witnesses_are_items_of_the_region_and_have_their_distance():
    encoder, space, centre = an_encoder(1), UniformSpace(dim=3), torch.tensor([0.2, -0.5, 0.1])
    free = {"year": Within(0.2, 0.6), "language": OneOf((2, 4)), "genres": SetOf((2, 3), always=(5,))}
    answer = certify(encoder, Region(ROW, free), space=space, centre=centre, threshold=0.5)
    for witness in (answer.nearest, answer.farthest):
        item = witness.features
        assert len(item) == 1
        assert distance_of(encoder, space, centre, item).item() == pytest.approx(witness.distance, abs=1e-6)
        assert 0.2 - 1e-7 <= item.dense[0, 0] <= 0.6 + 1e-7
        assert torch.equal(item.dense[0, 1:], ROW.dense[0, 1:])
        assert item.codes[0, 0] in (2, 4)
        assert item.codes[0, 1] == 4
        assert 5 in item.bags[0].values
        assert set(item.bags[0].values.tolist()) <= {2, 3, 5}
        assert item.bags[1].values.tolist() == [MISSING]
        assert item.dense.dtype == torch.float32


def test_more_pieces_know_more_and_the_question_is_settled_in_the_end():
    encoder, space, centre = an_encoder(3, dim=4), UniformSpace(dim=4, norm=4.0), torch.full((4,), 0.95)
    region = Region(ROW, {"year": Within(), "language": OneOf((2, 3, 4, 5)), "genres": SetOf((2, 3, 4, 5))})
    for threshold, decision in ((1.95, "liked"), (0.4, "not liked"), (1.0, "open"), (0.5, "open")):
        widths = []
        for pieces in (1, 30, 3000):
            answer = certify(encoder, region, space=space, centre=centre, threshold=threshold, pieces=pieces)
            widths.append(answer.upper - answer.lower)
        assert answer.decision == decision
        assert answer.proved
        assert widths == sorted(widths, reverse=True)


def test_a_spent_budget_is_no_proof():
    encoder, space, centre = an_encoder(3, dim=4, gain=4.0), UniformSpace(dim=4), torch.zeros(4)
    region = Region(ROW, {name: anything(BLOCKS[name]) for name in ("year", "taste", "genres", "language", "id")})
    rows = distance_of(encoder, space, centre, rows_of(region, torch.Generator().manual_seed(0), 20_000))
    answer = certify(encoder, region, space=space, centre=centre, threshold=float(rows.max()) * 1.0001, pieces=2)
    assert answer.decision == "open"
    assert not answer.proved
    assert answer.pieces <= 2


def test_nothing_free_is_the_models_own_answer():
    encoder, space, centre = an_encoder(2), UniformSpace(dim=3), torch.tensor([0.0, 0.1, 0.2])
    distance = float(distance_of(encoder, space, centre, ROW))
    for threshold, decision in ((distance * 1.1, "liked"), (distance * 0.9, "not liked")):
        answer = certify(encoder, Region(ROW, {}), space=space, centre=centre, threshold=threshold)
        assert (answer.decision, answer.proved, answer.pieces) == (decision, True, 1)
        assert answer.lower <= distance <= answer.upper
        assert answer.upper - answer.lower < 1e-3


def errors_and_rounding(encoder, free) -> tuple[torch.Tensor, torch.Tensor]:
    """How far single precision is from the truth for items of a region at most, and how far it may be."""
    region = Region(ROW, free)
    rows = rows_of(region, torch.Generator().manual_seed(0), 300)
    double = Features(rows.dense.double(), rows.codes, rows.bags)
    with torch.no_grad():
        error = (encoder(rows).double() - copy.deepcopy(encoder).double()(double)).abs().amax(0)
    return error, Items(encoder, region).rounding()


@settings(max_examples=40)
@given(regions, nets)
def test_single_precision_is_as_near_to_the_truth_as_is_said(free, net):
    error, rounding = errors_and_rounding(an_encoder(**net), free)
    assert (error <= rounding).all()
    assert (rounding < 2e-4 * (2 + net["gain"]) ** (len(net["hidden"]) + 3)).all()


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_pieces_of_a_number_that_cancel_are_rounded(hidden):
    encoder = an_encoder(2, hidden=hidden, bins=5)
    whole, part = encoder.fields.pieces(ROW.dense[:, :1])[0, 0, :2].tolist()
    assert whole == 1 > part > 0
    with torch.no_grad():
        encoder.fields.scalars[0, 0], encoder.fields.scalars[0, 1] = -part * 1e6, 1e6
    error, rounding = errors_and_rounding(encoder, {})
    assert (error <= rounding).all()
    assert error.max() > 1e-3


@pytest.mark.parametrize(
    ("inputs", "free"),
    [
        ("embedding", {"language": OneOf((2, 5))}),
        ("embedding", {"genres": SetOf((2, 3, 4, 5))}),
        ("embedding", {"taste": Within()}),
        ("vector", {"language": OneOf((2, 5))}),
        ("vector", {"genres": SetOf((2, 3, 4, 5))}),
    ],
)
def test_values_that_outweigh_the_fixed_ones_are_rounded(inputs, free):
    encoder = an_encoder(4, inputs=inputs)
    with torch.no_grad():
        if inputs == "vector":
            encoder.first.weight[:, 4:12] *= 1e5  # of language and genres
        elif "language" in free:
            encoder.fields.code_table[5] *= 1e5
        elif "genres" in free:
            encoder.fields.bag_tables[0][5] *= 1e5
        else:
            encoder.fields.vectors[1][:2] *= 1e5
    error, rounding = errors_and_rounding(encoder, free)
    assert (error <= rounding).all()
    assert error.max() > 1e-3


def test_ids_do_not_matter_where_only_scaled_features_are_read():
    encoder, space, centre = an_encoder(2, inputs="vector"), UniformSpace(dim=3), torch.zeros(3)
    distance = float(distance_of(encoder, space, centre, ROW))
    answer = certify(encoder, Region(ROW, {"id": anything(BLOCKS["id"])}), space=space, centre=centre, threshold=2.0)
    assert answer.lower == pytest.approx(distance, abs=1e-3)
    assert answer.upper == pytest.approx(distance, abs=1e-3)


def test_a_row_of_arrays_serves_as_well():
    encoder, space, centre = an_encoder(2), UniformSpace(dim=3), torch.zeros(3)
    bags = tuple(Bag(b.values.numpy(), b.offsets.numpy()) for b in ROW.bags)
    arrays = Features(ROW.dense.numpy(), ROW.codes.numpy(), bags)
    free = {"language": OneOf((2, 3))}
    one = certify(encoder, Region(arrays, free), space=space, centre=centre, threshold=0.5)
    other = certify(encoder, Region(ROW, free), space=space, centre=centre, threshold=0.5)
    assert (one.decision, one.lower, one.upper) == (other.decision, other.lower, other.upper)


def test_questions_that_make_no_sense_are_refused():
    encoder, space, centre = an_encoder(2), UniformSpace(dim=3), torch.zeros(3)
    region = Region(ROW, {"language": OneOf((2, 3))})
    with pytest.raises(ConfigError, match="threshold = 0"):
        certify(encoder, region, space=space, centre=centre, threshold=0)
    with pytest.raises(ConfigError, match="pieces = 0"):
        certify(encoder, region, space=space, centre=centre, threshold=1, pieces=0)
    with pytest.raises(SpaceError, match="2 axes"):
        certify(encoder, region, space=space, centre=centre[:2], threshold=1)
    with pytest.raises(SpaceError, match="finite"):
        certify(encoder, region, space=space, centre=centre * math.nan, threshold=1)
    with pytest.raises(ConfigError, match=r"eval\(\)"):
        certify(an_encoder(2).train(), region, space=space, centre=centre, threshold=1)
    with pytest.raises(ConfigError, match=r'encoder\.activation = "relu"'):
        certify(an_encoder(2, activation="gelu"), region, space=space, centre=centre, threshold=1)
    with pytest.raises(ConfigError, match="'genre' is no field"):
        certify(encoder, Region(ROW, {"genre": OneOf((2, 3))}), space=space, centre=centre, threshold=1)


def test_encoders_of_situations_and_of_crosses_are_refused(context):
    encoder = MLPEncoder(LAYOUT, 3, EncoderOptions(), context).eval()
    crossed = WideDeepEncoder(LAYOUT, 3, EncoderOptions()).eval()
    for net, said in ((encoder, "situations"), (crossed, "nothing can be proved of a WideDeepEncoder")):
        with pytest.raises(ConfigError, match=said):
            certify(net, Region(ROW, {}), space=UniformSpace(dim=3), centre=torch.zeros(3), threshold=1)
