"""What was found, as options, TOML and JSON: read back, it is the same model."""

import json
import math
import tomllib

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penchant.baselines import EASE
from penchant.estimator import Penchant
from penchant.losses import Loss
from penchant.nets import EncoderOptions
from penchant.spaces import Space
from penchant.tuning import Tuned
from penchant.tuning.tuned import changed_options, to_toml

MODELS = [
    Penchant(),
    Penchant(space=Space(dim=8, norm=math.inf), encoder=EncoderOptions(hidden=(), wide=False), epochs=3),
    Penchant(loss=Loss(neck="hinge", delta=2), learning_rate=1e-4, schedule="cosine"),
    Penchant.preset("seed"),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_penchant_is_read_back_from_its_toml(model):
    again = Penchant.from_config(tomllib.loads(to_toml(changed_options(model))))
    assert again.get_params() == model.get_params()


def test_only_what_differs_from_the_defaults_is_written():
    assert changed_options(Penchant()) == {}
    assert to_toml({}) == ""
    model = Penchant(loss=Loss(delta=3.0), epochs=4)
    assert changed_options(model) == {"loss": {"delta": 3.0}, "epochs": 4}
    assert to_toml(changed_options(model)) == "epochs = 4\n\n[loss]\ndelta = 3.0\n"


plain = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False), st.text(max_size=5))


@settings(max_examples=40)
@example({"a": '\x7f\n"\U0001f600', "b": {"x": -1.5e300}})
@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.one_of(plain, st.lists(plain, max_size=3), st.dictionaries(st.sampled_from("xy"), plain)),
    )
)
def test_any_options_are_read_back(options):
    assert tomllib.loads(to_toml(options)) == options


def test_all_of_it_as_json():
    trials = pl.DataFrame({"trial": [0], "state": ["complete"], "value": [0.5], "seconds": [0.1], "penalty": [3.0]})
    found = Tuned(model=EASE(penalty=3.0), figure="logloss", value=0.5, trials=trials, facts={"rng": 1})
    assert found.lower_is_better
    assert json.loads(found.to_json()) == {
        "model": "EASE", "figure": "logloss", "value": 0.5, "options": {"penalty": 3.0}, "rng": 1,
        "trials": trials.to_dicts(),
    }  # fmt: skip
