import numpy as np

from penchant.estimator import queries


def test_ids_resolve_to_known_points_and_rows_to_new_ones(model):
    fitted = model._fitted
    asked = queries.resolve(fitted, "user", ["u2", "u0"])
    assert asked.keys.to_list() == ["u2", "u0"]
    assert asked.rows.tolist() == [2, 0]
    np.testing.assert_array_equal(asked.points.numpy(), fitted.known["user"].points[[2, 0]].numpy())
    new = queries.resolve(fitted, "item", {"lang": "zh"})
    assert new.rows.tolist() == [-1]
    assert new.keys.name == "row"
    assert len(queries.resolve(fitted, "item", []).rows) == 0


def test_distances_of_no_pairs_are_none(model, parts):
    empty = parts[0].with_interactions(parts[0].interactions.head(0))
    keys, base, shift = queries.distances(model._fitted, empty)
    assert len(keys) == len(base) == len(shift) == 0
