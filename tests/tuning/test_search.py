"""What is tried: ranges and choices, the usual ones for every model, and those of a file."""

import math

import pytest

from penchant.baselines import EASE, KINDS
from penchant.errors import ConfigError
from penchant.estimator import Penchant
from penchant.estimator.presets import PRESETS
from penchant.tuning import SEARCHES, Choices, Range, check_search, read_search, search_of

MODELS = {**KINDS, "penchant": Penchant}


@pytest.mark.parametrize("name", MODELS)
def test_the_usual_search_fits_the_model_and_holds_its_defaults(name):
    model = MODELS[name]()
    search = search_of(model)
    check_search(search, model)
    own = model.get_params()
    assert {option: own[option] for option, axis in search.items() if not axis.holds(own[option])} == {}


def test_what_a_model_has_not_is_not_tried():
    """A space of Gaussians has a metric and no norm."""
    for name in PRESETS:
        check_search(search_of(Penchant.preset(name)), Penchant.preset(name))
    assert set(search_of(Penchant())) - set(search_of(Penchant.preset("variational"))) == {"space__norm"}


def test_every_usual_search_is_of_a_model():
    assert set(SEARCHES) == {kind.__name__ for kind in MODELS.values()}


def test_a_range_holds_its_ends_and_numbers_of_its_kind():
    whole, real = Range(low=1, high=8, log=True), Range(low=0.5, high=2)
    assert whole.whole
    assert not real.whole
    assert [whole.holds(value) for value in (1, 8, 9, 0, 2.0, True, "3")] == [True, True, *[False] * 5]
    assert [real.holds(value) for value in (0.5, 2, 1, 2.1, True)] == [True, True, True, False, False]


def test_choices_are_named_by_their_text():
    choices = Choices(((), (64,), (64, 64)))
    assert choices.words() == {"[]": (), "[64]": (64,), "[64, 64]": (64, 64)}
    assert choices.holds((64, 64))
    assert not choices.holds((32,))
    assert not choices.holds(None)
    assert Choices((2.0, math.inf)).holds(math.inf)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Range(low=2, high=2), "the first less"),
        (lambda: Range(low=0, high=math.inf), "two finite numbers"),
        (lambda: Range(low=True, high=3), "two finite numbers"),
        (lambda: Range(low="1", high=3), "two finite numbers"),
        (lambda: Range(low=0.0, high=1.0, log=True), "above 0 expected on a logarithmic scale"),
        (lambda: Choices((1,)), "two or more different"),
        (lambda: Choices((1, 1)), "two or more different"),
        (lambda: check_search({}, EASE()), "at least one option"),
        (lambda: check_search({"penalti": Range(low=1, high=2)}, EASE()), "did you mean penalty"),
        (
            lambda: check_search({"encoder__dropout": Range(low=0.0, high=1.5)}, Penchant()),
            "search: encoder.dropout = 1.5",
        ),
        (lambda: check_search({"loss__neck": Choices(("hinge", "odd"))}, Penchant()), "search: loss.neck = 'odd'"),
    ],
)
def test_what_cannot_be_tried_is_refused(make, told):
    with pytest.raises(ConfigError, match=told):
        make()


def test_a_model_without_a_usual_search_needs_one():
    class Own(EASE):
        pass

    with pytest.raises(ConfigError, match="none is written out for Own"):
        search_of(Own())


def test_a_file_adds_to_the_usual_replaces_and_leaves_out(tmp_path):
    file = tmp_path / "search.toml"
    file.write_text(
        "learning_rate = { low = 1e-4, high = 1e-2, log = true }\n"
        "batch_size = false\n"
        "encoder.hidden = { choices = [[], [64, 64]] }\n"
        '[loss]\nneck = { choices = ["hinge", "logistic"] }\n[space.dim]\nlow = 8\nhigh = 32\n'
    )
    found = read_search(
        file, {"learning_rate": Choices((1.0, 2.0)), "batch_size": Choices((1, 2)), "epochs": Choices((1, 2))}
    )
    assert found == {
        "learning_rate": Range(low=1e-4, high=1e-2, log=True),
        "epochs": Choices((1, 2)),
        "encoder__hidden": Choices(((), (64, 64))),
        "loss__neck": Choices(("hinge", "logistic")),
        "space__dim": Range(low=8, high=32),
    }
    check_search(found, Penchant())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs = ", "cannot be read as TOML"),
        ("epochs = 3", r"epochs: \{ low = 1"),
        ("loss.delta = { low = 1 }", r"loss\.delta: \{ low = 1"),
        ("loss.delta = { low = 3, high = 1 }", r"loss\.delta: low = 3, high = 1"),
        ("loss.delta = { low = 1, high = 3, lag = true }", r"loss\.delta: \{ low = 1"),
        ("loss.delta = { choices = 3 }", r"loss\.delta: \{ low = 1"),
        ("loss.delta = { choices = [3] }", r"loss\.delta: choices = \[3\]"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text, told):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read_search(tmp_path / "s.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_search(tmp_path / "nowhere.toml")
