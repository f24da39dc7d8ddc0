from dataclasses import replace

import torch

from penchant import Penchant
from penchant.tables import Field, TablesEncoder, simulate
from penchant.training import Batches, encode_all, pair_distances, scoring


def test_distances_are_those_of_the_pairs_whatever_the_chunk(monkeypatch):
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    timed = replace(tables.schema, fields=(*tables.schema.fields, Field(name="time", side="context", kind="numeric")))
    for schema in (tables.schema, timed):
        here = replace(tables, schema=schema)
        encoder = TablesEncoder.fit(here)
        model = Penchant().build_module(encoder).eval()
        batches = Batches(encoder.encode(here), batch_size=50, rng=0)
        monkeypatch.setattr(scoring, "_CHUNK", 16_384)
        whole = pair_distances(model, batches)
        monkeypatch.setattr(scoring, "_CHUNK", 7)
        torch.testing.assert_close(pair_distances(model, batches), whole, atol=1e-5, rtol=1e-5)
        items = encode_all(model, "item", batches.items, torch.device("cpu"))
        assert items.shape == (20, 64)
        one = model.encode_users(batches.batch(torch.tensor([3])).users, batches.batch(torch.tensor([3])).context)
        torch.testing.assert_close(
            model.space.base_distance(one, items[batches.item[3]][None]), whole[3:4], atol=1e-5, rtol=1e-5
        )
