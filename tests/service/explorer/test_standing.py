import asyncio
from types import SimpleNamespace

import numpy as np
import torch

from penchant.service.explorer.standing import FIRST, reach_of_points, standing_of


def distances(loaded):
    """All of them, one by one in double precision."""
    fitted = loaded.fitted
    users, items = (fitted.known[side].points.double() for side in ("user", "item"))
    return fitted.model.space.base_distance(items[:, None], users[None]).numpy()


async def at_once(work):
    return work()


def standing(loaded):
    return asyncio.run(standing_of(SimpleNamespace(compute=at_once), loaded))


def test_reach_is_counted(kinds_loaded):
    fitted = kinds_loaded.fitted
    found = reach_of_points(kinds_loaded, fitted.known["item"].points)
    wanted = (distances(kinds_loaded) <= fitted.calibration.threshold).sum(1)
    assert np.abs(found - wanted).max() <= 1  # a distance may be the threshold to the last digit


def test_place_and_first_items_are_those_of_all_distances(kinds_loaded):
    found, apart = standing(kinds_loaded), distances(kinds_loaded)
    assert standing(kinds_loaded) is found, "computed once"
    for row in (0, 7, 49):
        told = found.told(kinds_loaded, kinds_loaded.fitted.points("item", np.array([row])), row)
        reach = np.array(found.reach)
        assert told["reach"] == reach[row]
        assert told["more"] == (reach > reach[row]).sum()
        assert (told["items"], told["users"], told["all"], told["all_users"]) == (49, 40, True, True)
        ranks = (apart < apart[row] * (1 - 1e-6)).sum(0)
        assert told["offered"] == (ranks < FIRST).sum()


def test_a_point_on_top_of_a_user_is_offered_and_a_far_one_is_not(kinds_loaded):
    found, fitted = standing(kinds_loaded), kinds_loaded.fitted
    near = found.told(kinds_loaded, fitted.points("user", np.array([3])))
    assert near["offered"] >= 1
    assert near["items"] == 50
    far = torch.full_like(fitted.points("user", np.array([3])), fitted.model.space.high)
    assert found.told(kinds_loaded, far)["place"] >= near["place"]
