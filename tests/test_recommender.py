"""The manners every recommender inherits: parameters, representation, one error before fit."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from penchant.errors import ConfigError, NotFittedError
from penchant.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Shape:
    dim: int = 2
    norm: float = 4.0

    def __post_init__(self):
        if self.dim < 1:
            raise ConfigError("dim: at least 1 expected")


class Toy(Recommender):
    serves_new_users: ClassVar[bool] = True
    serves_new_items: ClassVar[bool] = True
    personal: ClassVar[bool] = False

    def __init__(self, *, shape: Shape = Shape(), epochs: int = 3) -> None:
        self.shape, self.epochs = shape, epochs

    def fit(self, train, valid=None):
        self._fitted = train
        return self

    def predict_proba(self, tables):
        return self._check_fitted()

    def recommend(self, users, *, n=10, exclude_seen=True, candidates=None):
        return self._check_fitted()


class Bare(Toy):
    __init__ = object.__init__


def test_params_name_the_constructors_arguments_and_the_fields_of_groups():
    assert Toy().get_params(deep=False) == {"shape": Shape(), "epochs": 3}
    assert Toy().get_params() == {"shape": Shape(), "epochs": 3, "shape__dim": 2, "shape__norm": 4.0}
    assert Bare().get_params() == {}


def test_params_make_an_equal_model():
    toy = Toy(shape=Shape(dim=7), epochs=9)
    assert Toy(**toy.get_params(deep=False)).get_params() == toy.get_params()
    assert Toy().set_params(**toy.get_params()).get_params() == toy.get_params()


@pytest.mark.parametrize("order", [1, -1])
def test_a_group_is_set_before_its_fields_whatever_the_order(order):
    given = [("shape__norm", 1.0), ("shape", Shape(dim=5))][::order]
    toy = Toy()
    assert toy.set_params(**dict(given)) is toy
    assert toy.shape == Shape(dim=5, norm=1.0)


def test_setting_changes_all_or_nothing():
    toy = Toy()
    with pytest.raises(ConfigError, match="at least 1"):
        toy.set_params(epochs=8, shape__dim=0)
    with pytest.raises(ConfigError, match=r"did you mean epochs\?"):
        toy.set_params(shape__dim=4, epoch=8)
    with pytest.raises(ConfigError, match=r"no option xyz: one of shape, epochs"):
        toy.set_params(xyz=1)
    assert toy.get_params() == Toy().get_params()


def test_a_group_that_is_none_has_no_fields_yet():
    class Optional(Toy):
        def __init__(self, *, shape: Shape = Shape(), shape_of_items: Shape | None = None) -> None:
            self.shape, self.shape_of_items = shape, shape_of_items

    with pytest.raises(ConfigError, match="shape_of_items__dim: shape_of_items is None, so it has no dim; set shape_"):
        Optional().set_params(shape_of_items__dim=4)
    model = Optional().set_params(shape_of_items=Shape(dim=4))
    assert model.set_params(shape_of_items__dim=5).shape_of_items == Shape(dim=5)


def test_fields_that_exclude_one_another_alone_are_changed_together():
    @dataclass(frozen=True)
    class Range:
        low: float = 0.0
        high: float = 1.0

        def __post_init__(self):
            assert self.low < self.high

    toy = Toy(shape=Range())
    toy.set_params(shape__low=5.0, shape__high=6.0)
    assert toy.shape == Range(5.0, 6.0)


def test_repr_says_what_differs_from_the_defaults():
    assert repr(Toy()) == "Toy()"
    assert repr(Toy(epochs=4)) == "Toy(epochs=4)"


def test_before_fit_there_is_one_error():
    for ask in (lambda t: t.predict_proba(None), lambda t: t.recommend([])):
        with pytest.raises(NotFittedError, match=r"this Toy is not fitted yet: call fit"):
            ask(Toy())
