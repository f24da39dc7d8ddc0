"""Beliefs and constants: what is refused, what is kept, and that one user needs no torch."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from penchant.dynamics.belief import Belief, Dynamics, begin, check_points, point
from penchant.errors import ConfigError, DataError, SpaceError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("process", -1.0), ("process", math.nan), ("observation", 0.0), ("observation", [0.1, -1.0]), ("prior", 0.0),
        ("half_life", 0.0), ("half_life", math.nan), ("gain", 0.0), ("gain", math.inf), ("offset", math.nan),
        ("dislike", -0.1), ("ignored", math.inf), ("low", 1.0), ("high", math.inf),
    ],
)  # fmt: skip
def test_a_field_outside_its_range_is_named(field, value) -> None:
    with pytest.raises(ConfigError, match=field):
        Dynamics(**{field: value})


def test_fields_of_different_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="same number of axes"):
        Dynamics(process=[0.1, 0.2], observation=[0.1, 0.2, 0.3])


def test_constants_are_plain_values_that_come_back() -> None:
    one = Dynamics(process=np.array([0.1, 0.2]), observation=np.float32(0.5), half_life=3.0)
    assert Dynamics(**json.loads(json.dumps(one.config()))) == one
    assert one.process == (0.1, 0.2)
    assert one.rate == pytest.approx(math.log(2) / 3)
    assert Dynamics().rate == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_belief_begins_at_the_encoders_point_in_its_type(dtype) -> None:
    anchor = np.array([[0.1, -0.2], [0.3, 0.4]], dtype)
    dynamics = Dynamics(prior=[0.2, 0.3])
    ours, theirs = begin(anchor, dynamics, 5.0), begin(torch.tensor(anchor), dynamics, 5.0)
    assert ours.variance.dtype == dtype
    assert ours.variance.tolist() == theirs.variance.tolist() == np.tile(np.array([0.2, 0.3], dtype), (2, 1)).tolist()
    own = np.full((2, 2), 0.7, dtype)
    assert begin(anchor, dynamics, 5.0, own).variance is own


def test_a_point_is_read_inside_the_box() -> None:
    for mean in (np.array([-0.1, 0.5, 3.0]), torch.tensor([-0.1, 0.5, 3.0])):
        assert point(Belief(mean, mean * 0 + 1, 0.0), Dynamics(low=0.0)).tolist() == [0.0, 0.5, 1.0]


def test_points_that_would_poison_a_belief_are_refused() -> None:
    check_points(np.zeros((0, 3)), 3)
    with pytest.raises(SpaceError, match="liked items of shape"):
        check_points(np.zeros((4, 2)), 3, "liked items")
    with pytest.raises(DataError, match=r"2 rows \(1, 3\): finite numbers expected"):
        check_points(np.array([[0.0], [np.nan], [1.0], [np.inf]]), 1)


SERVED_WITHOUT_TORCH = """
import sys, types
for name in ("penchant", "penchant.dynamics"):  # the doors open everything: go past them
    door = types.ModuleType(name)
    door.__path__ = [f"{sys.argv[1]}/{name.replace('.', '/')}"]
    sys.modules[name] = door
import numpy as np
from penchant.dynamics import batch, belief, box, credible, dislike, kalman, mixture, smoothing
anchor, item, d = np.zeros(4), np.full(4, 0.3), belief.Dynamics(half_life=9.0)
b = kalman.observe_like(belief.begin(anchor, d, 0.0), 1.0, item, anchor, d)
for norm in (2.0, np.inf):
    b = dislike.update_dislike(b, -item, dislike.Neck(0.3, 9.0, norm), d)
    credible.credible_radius(b, 0.9, norm)
batch.posterior(anchor, item[None], d), box.explained_by(item[None], 0.4)
mixture.observe_interests(mixture.begin_interests(anchor, d, 0.0), 1.0, item, anchor, d)
smoothing.smooth(anchor, np.array([0.0, 1.0]), np.stack([item, -item]), d)
assert np.isfinite(belief.point(b, d)).all()
assert "torch" not in sys.modules, "torch was imported"
"""


THROUGH_THE_DOOR = """
import sys
import numpy as np
from penchant.dynamics import (Anchor, Dynamics, InterestFilter, Neck, begin, credible_radius, observe_like, predict,
                               update_dislike)
from penchant.dynamics.events import Event
fold = InterestFilter(space="s", anchor=lambda user: Anchor(np.zeros(3)), item=lambda one: np.full(3, 0.4),
                      dynamics=Dynamics(), neck=Neck(threshold=0.5, slope=9.0, norm=2.0))
data = fold.step("u", None, [Event("1", "u", "i", 1, 1e9), Event("2", "u", "i", 0, 1e9 + 60)])
belief = fold.read(data).belief
credible_radius(predict(belief, belief.time + 1, np.zeros(3), fold.dynamics), 0.9, 2.0)
assert "torch" not in sys.modules, "torch was imported"
from penchant.dynamics import fit_dynamics
"""


@pytest.mark.parametrize("script", [SERVED_WITHOUT_TORCH, THROUGH_THE_DOOR], ids=["files", "door"])
def test_one_user_is_served_without_torch(request, script) -> None:
    source = request.config.rootpath / "src"
    done = subprocess.run([sys.executable, "-c", script, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
