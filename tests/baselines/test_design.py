"""The sparse matrix of features against portrait vectors."""

import numpy as np
import pytest

from penchant._spec import UNSEEN, Features
from penchant.baselines._design import design, design_width, without_ids
from penchant.tables import TablesEncoder, simulate


def encoded():
    data = simulate(n_users=50, n_items=40, n_interactions=500, rng=1, missing=0.2).tables
    encoder = TablesEncoder.fit(data)
    return [(encoder.user, encoder.user.encode(data.users)), (encoder.item, encoder.item.encode(data.items))]


@pytest.mark.parametrize("side", [0, 1])
def test_it_is_portrait_flags_and_ids(side):
    encoder, features = encoded()[side]
    layout, vector = encoder.layout, encoder.portrait(features)
    found = design(layout, features).toarray()
    flags = np.column_stack([np.isnan(vector[:, place]).any(axis=1) for _, place in layout.places()])
    ends = np.cumsum([vector.shape[1], flags.shape[1]])
    known, missing, ids = np.split(found, ends, axis=1)
    assert np.array_equal(known, np.nan_to_num(vector))
    assert np.array_equal(missing, flags)
    assert flags.any()
    assert np.array_equal(ids.argmax(axis=1), features.codes[:, 0])
    assert (ids.sum(axis=1) == 1).all()
    assert found.shape[1] == design_width(layout)


def test_shared_tags_add_up_to_one():
    encoder, features = encoded()[1]
    plain, shared = (design(encoder.layout, features, share_tags=share).toarray() for share in (False, True))
    (place,) = (place for block, place in encoder.layout.places() if block.form == "bag")
    total = plain[:, place].sum(axis=1, keepdims=True)
    assert total.max() > 1
    assert shared[:, place] == pytest.approx(plain[:, place] / np.maximum(total, 1))
    rest = np.ones(plain.shape[1], dtype=bool)
    rest[place] = False
    assert np.array_equal(plain[:, rest], shared[:, rest])


def test_what_stands_for_an_id_is_the_unseen_one():
    encoder, features = encoded()[1]
    stand_in = without_ids(encoder.layout)
    x = design(encoder.layout, features)
    moved = np.zeros(x.shape)
    np.add.at(moved, (np.repeat(np.arange(len(features)), np.diff(x.indptr)), stand_in[x.indices]), x.data)
    codes = features.codes.copy()
    codes[:, 0] = UNSEEN
    nameless = Features(features.dense, codes, features.bags)
    assert np.array_equal(moved, design(encoder.layout, nameless).toarray())


def test_no_rows_and_no_fields():
    encoder, _ = encoded()[1]
    none = encoder.encode_rows([])
    assert design(encoder.layout, none).shape == (0, design_width(encoder.layout))
