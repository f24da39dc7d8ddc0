"""How much of each term: options that are refused, and the sum."""

import math
import warnings

import pytest
import torch

from penchant.errors import ConfigError
from penchant.losses import KINDS, RANKING, Loss, combine
from penchant.training import KINDS as SAMPLERS

NUMBERS = ("margin", "power", "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "floor", "liked_weight")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neck": "l2"}, "loss.neck = 'l2': one of hinge, logistic, capped, literal, softmax, bpr, warp expected"),
        ({"negatives": "hard"}, "loss.negatives = 'hard': one of catalogue, uniform, popular, batch expected"),
        *(
            ({"n_negatives": value}, "loss.n_negatives = .*: a whole number >= 1")
            for value in (0, -1, 1.5, True, "9", math.nan)
        ),
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
        (dict.fromkeys(("alpha", "beta", "gamma", "delta", "epsilon", "zeta"), 0), "are all 0: one above 0"),
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
        for neck in (KINDS | RANKING).keys() - {"literal"}:
            assert Loss(neck=neck).ranking == (neck in RANKING)


def test_every_sampler_can_be_asked_for():
    assert [Loss(negatives=name).negatives for name in SAMPLERS] == list(SAMPLERS)
    assert set(Loss.__annotations__["negatives"].__args__) == set(SAMPLERS)


def test_a_neck_has_one_name_only():
    assert not set(KINDS) & set(RANKING)


def test_the_total_is_the_weighted_sum_of_the_terms_that_are_there():
    loss = Loss(alpha=2, beta=3, gamma=5, delta=7, epsilon=11, zeta=13, eta=17, kappa=19)
    terms = {
        name: torch.tensor(10.0**i, requires_grad=True, dtype=torch.float64) for i, name in enumerate(loss.weights)
    }
    out = combine(terms, loss)
    assert float(out["total"].detach()) == 2 + 30 + 500 + 7_000 + 110_000 + 1_300_000 + 17_000_000 + 190_000_000
    half = combine(terms, loss, annealed=0.5)
    assert float((out["total"] - half["total"]).detach()) == 95_000_000, "only the divergence waits"
    assert [out[name] for name in terms] == list(terms.values()), "the terms themselves, unweighted"
    slopes = torch.autograd.grad(out["total"], list(terms.values()))
    assert [float(s) for s in slopes] == [2, 3, 5, 7, 11, 13, 17, 19] == list(loss.weights.values())
    some = combine({"covariance": terms["covariance"], "neck": terms["neck"]}, loss)
    assert float(some["total"].detach()) == 2 + 500
    assert list(some) == ["covariance", "neck", "total"]


def test_a_term_of_no_name_is_refused():
    with pytest.raises(KeyError, match="surprise"):
        combine({"surprise": torch.tensor(1.0)}, Loss())
