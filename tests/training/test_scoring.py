from dataclasses import replace

import polars as pl
import pytest
import torch

from penchant import EncoderOptions, Penchant
from penchant.tables import Field, Histories, TablesEncoder, simulate
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


def test_a_pair_can_be_left_out_of_its_users_history():
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    past = Field(name="past", side="user", kind="history")
    tables = replace(tables, schema=replace(tables.schema, fields=(past, *tables.schema.fields)))
    encoder = TablesEncoder.fit(tables)
    torch.manual_seed(0)
    model = Penchant().build_module(encoder).eval()
    torch.nn.init.normal_(model.user_encoder.past.table)
    batches = Batches(encoder.encode(tables), batch_size=50, rng=0)
    with_it, without = pair_distances(model, batches), pair_distances(model, batches, left_out=True)
    assert ((with_it - without).abs() > 1e-6).float().mean() > 0.9
    row = 7
    other = tables.with_interactions(tables.interactions.with_row_index().filter(pl.col("index") != row).drop("index"))
    told = replace(encoder, histories=Histories.fit(past, other))
    want = pair_distances(model, Batches(told.encode(tables), batch_size=50, rng=0))[row]
    torch.testing.assert_close(without[row], want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "gru"])
def test_where_histories_fade_pairs_are_as_late_as_they_say(kind):
    """A causal encoder sees each pair's history as it counts at the pair's time; a plain one at the latest entry's."""
    tables = simulate(n_users=30, n_items=20, n_interactions=300, rng=2).tables
    past = Field(name="past", side="user", kind="history", half_life=20)
    schema = replace(tables.schema, fields=(past, *tables.schema.fields), time="time")
    encoder = TablesEncoder.fit(replace(tables, schema=schema))
    torch.manual_seed(0)
    model = Penchant(encoder=EncoderOptions(kind=kind)).build_module(encoder).eval()
    for parameter in model.user_encoder.past.parameters():
        torch.nn.init.normal_(parameter)

    def asked(later):
        times = tables.interactions.with_columns(time=pl.lit(later).cast(tables.interactions["time"].dtype))
        data = encoder.encode(replace(tables, schema=schema, interactions=times))
        return data, pair_distances(model, Batches(data, batch_size=50, rng=0))

    (_, at_once), (data, later) = asked(tables.interactions["time"].min()), asked(tables.interactions["time"].max())
    assert (data.since > 0).any()
    same = torch.from_numpy(data.since == 0)
    torch.testing.assert_close(later[same], at_once[same], atol=1e-5, rtol=1e-5)
    assert torch.allclose(later, at_once, atol=1e-5) == (kind == "mlp")
