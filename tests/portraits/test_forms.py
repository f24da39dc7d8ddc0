"""Every answer's JSON form is as its schema says; answers themselves are tested with the estimator."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from penchant import Penchant, simulate, split_random
from penchant.portraits import Explanation, GroupPortrait, Interest, Part, Portrait, Verdict, WhatIf, forms


@pytest.fixture(scope="module")
def model():
    train, valid, _ = split_random(simulate(n_users=40, n_items=30, n_interactions=800, rng=2).tables, rng=2)
    return Penchant(epochs=2, rng=2).fit(train, valid)


@pytest.fixture(scope="module")
def answers(model):
    return {
        Portrait: [model.portrait("u1"), model.portrait("u1", details=False), model.audience("i1")],
        Explanation: [model.explain("u1", "i1")],
        Verdict: [model.certify("u1", item="i1", free=["lang"])],
        GroupPortrait: [pair := model.group(["u1", "u2"]), replace(pair, parts=(Part(("u1",), 0.1, 0.2, ("x",)),))],
        WhatIf: [model.what_if("u1", {"age": 20})],
        Interest: [model.interest("u1")],
    }


@pytest.mark.parametrize("kind", [Portrait, Explanation, Verdict, GroupPortrait, WhatIf, Interest])
def test_the_form_is_what_is_given_no_more_and_no_less(answers, kind):
    for answer in answers[kind]:
        told = answer.to_dict()
        adapter = TypeAdapter(kind.form)
        assert adapter.validate_python(told) == told


@pytest.mark.parametrize("kind", [Portrait, Explanation, Verdict, GroupPortrait, WhatIf, Interest])
def test_the_schema_names_every_key(answers, kind):
    schema = kind.json_schema()
    assert schema["type"] == "object"
    assert set(schema["properties"]) == set(schema["required"]) == set(answers[kind][0].to_dict())


def test_every_form_is_of_an_answer():
    kinds = (Portrait, Explanation, Verdict, GroupPortrait, WhatIf, Interest)
    assert sorted(forms.__all__) == sorted(kind.form.__name__ for kind in kinds)
