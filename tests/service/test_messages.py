import pytest
from pydantic import BaseModel, ValidationError

from penchant.service import messages
from penchant.service.messages import EventBatch, LoadOrder, PortraitQuestion, PredictQuestion, RecommendQuestion

ASKED = [
    m
    for m in vars(messages).values()
    if isinstance(m, type) and issubclass(m, BaseModel) and "examples" in str(m.model_config)
]


@pytest.mark.parametrize("message", ASKED)
def test_every_example_is_one(message):
    for example in message.model_config["json_schema_extra"]["examples"]:
        assert message.model_validate(example).model_dump(exclude_unset=True) == example


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (RecommendQuestion, {"user": "u", "n": 0}),
        (RecommendQuestion, {"user": "u", "n": "3"}),
        (RecommendQuestion, {"user": "u", "n": True}),
        (RecommendQuestion, {"user": "u", "n": 3.0}),
        (RecommendQuestion, {"user": None}),
        (RecommendQuestion, {"user": True}),
        (RecommendQuestion, {"user": ["u"]}),
        (RecommendQuestion, {"user": ""}),
        (RecommendQuestion, {"user": "u" * 513}),
        (RecommendQuestion, {"user": "u", "exclude_seen": "yes"}),
        (RecommendQuestion, {"user": "u", "diversity": 1.5}),
        (RecommendQuestion, {"user": "u", "candidates": []}),
        (RecommendQuestion, {"user": "u", "unknown": 1}),
        (PredictQuestion, {"pairs": []}),
        (PredictQuestion, {"pairs": [{"user": "u"}]}),
        (PortraitQuestion, {"user": "u", "source": "mine"}),
        (EventBatch, {"events": [{"id": "e", "user": "u", "item": "i", "label": 2, "time": 1.0}]}),
        (LoadOrder, {"name": ""}),
    ],
)
def test_what_does_not_fit(message, body):
    with pytest.raises(ValidationError):
        message.model_validate(body)
