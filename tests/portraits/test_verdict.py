import json
from dataclasses import replace

import pytest

from penchant.portraits import Verdict
from penchant.portraits.verdict import Example

NEAR = Example({"year": "1990"}, {"year": 1990}, 0.2, 0.9)
FAR = Example({"year": "<2000>"}, {"year": 2000}, 0.4, 0.6)
LIKED = Verdict(
    "user <7>", "", {"lang": "zh"}, {"year": "anything known"}, "liked", True, 0.5, 0.19, 0.41, NEAR, FAR, 3
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "user <7> would like every item with lang zh, whatever year may be (proved)."),
        ({"decision": "not liked"}, "user <7> would like no item with lang zh, whatever year may be (proved)."),
        ({"item": "Heat"}, "user <7> would like every item like Heat, whatever year may be (proved)."),
        ({"fixed": {}}, "user <7> would like every item, whatever year may be (proved)."),
        ({"decision": "open"}, "It depends on year."),
        ({"decision": "open", "proved": False}, "Not settled: whether it depends on year."),
    ],
)
def test_a_verdict_is_a_sentence(changed, said):
    assert replace(LIKED, **changed).sentence() == said


def test_it_is_shown_on_a_terminal_a_page_and_as_json():
    told = json.loads(LIKED.to_json())
    assert told["decision"] == "liked"
    assert told["farthest"] == {
        "words": {"year": "<2000>"},
        "values": {"year": 2000},
        "distance": 0.4,
        "probability": 0.6,
    }
    assert "between 0.190 and 0.410" in str(LIKED)
    assert "&lt;2000&gt;" in LIKED.to_html()
    assert "<2000>" not in LIKED.to_html()
