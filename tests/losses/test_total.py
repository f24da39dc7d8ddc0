"""How much of each term: options that are refused, and the sum."""

import math
import warnings

import pytest
import torch

from penchant.errors import ConfigError
from penchant.losses import KINDS, Loss, combine

NUMBERS = ("margin", "alpha", "beta", "gamma", "delta", "epsilon", "floor", "liked_weight")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neck": "softmax"}, "loss.neck = 'softmax': one of hinge, logistic, capped, literal expected"),
        ({"covariance": "printed"}, "loss.covariance = 'printed': one of right, literal"),
        ({"likelihood": "l2"}, "loss.likelihood = 'l2': one of mse, cross_entropy"),
        *(
            ({name: value}, f"loss.{name} = .*: a number >= 0")
            for name in NUMBERS
            for value in (-0.1, math.nan, math.inf)
        ),
        ({"alpha": "1"}, "loss.alpha = '1': a number >= 0"),
        *(
            ({"read_share": value}, "loss.read_share = .*: a share above 0, at most 1")
            for value in (0, 1.1, math.nan, "1")
        ),
        ({"liked_weight": 0}, "likes teach nothing"),
        (dict.fromkeys(("alpha", "beta", "gamma", "delta", "epsilon"), 0), "are all 0: at least one above 0"),
    ],
)
def test_options_outside_their_range_are_refused(options, message):
    loss = Loss()
    for name, value in options.items():  # past the type checker, which users do not have
        object.__setattr__(loss, name, value)
    with pytest.raises(ConfigError, match=message):
        loss.__post_init__()


def test_the_literal_neck_warns_and_no_other_does():
    with pytest.warns(UserWarning, match="no margin serves both labels. Use 'hinge'"):
        Loss(neck="literal")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for neck in KINDS.keys() - {"literal"}:
            Loss(neck=neck)


def test_the_total_is_the_weighted_sum_of_the_terms_that_are_there():
    loss = Loss(alpha=2, beta=3, gamma=5, delta=7, epsilon=11)
    terms = {name: torch.tensor(float(10**i), requires_grad=True) for i, name in enumerate(loss.weights)}
    out = combine(terms, loss)
    assert float(out["total"].detach()) == 2 + 30 + 500 + 7_000 + 110_000
    assert [out[name] for name in terms] == list(terms.values()), "the terms themselves, unweighted"
    slopes = torch.autograd.grad(out["total"], list(terms.values()))
    assert [float(s) for s in slopes] == [2, 3, 5, 7, 11] == list(loss.weights.values())
    some = combine({"covariance": terms["covariance"], "neck": terms["neck"]}, loss)
    assert float(some["total"].detach()) == 2 + 500
    assert list(some) == ["covariance", "neck", "total"]


def test_a_term_of_no_name_is_refused():
    with pytest.raises(KeyError, match="divergence"):
        combine({"divergence": torch.tensor(1.0)}, Loss())
