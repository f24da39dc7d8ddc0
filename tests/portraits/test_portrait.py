import json
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from penchant.portraits import Portrait, Radius


@pytest.fixture
def portrait() -> Portrait:
    n = 20
    share = np.linspace(0, 1, n)
    features = pl.DataFrame(
        {"feature": ["tag"] * n, "value": [f"<v{j}>" for j in range(n)], "share": share,
         "low": share, "high": [1.0] * n, "population": [0.5] * n,
         "difference": share - 0.5, "lift": [None] + [1.0] * (n - 1)},
        schema_overrides={"lift": pl.Float64},
    )  # fmt: skip
    examples = pl.DataFrame(
        {"id": [7, 8], "name": ["<b>One</b>", None], "distance": [0.1, 0.2], "probability": [0.9, 0.8]}
    )
    likely = pl.DataFrame({"feature": ["tag", "year"], "level": [0.9] * 2, "open": [False, True],
                           "said": ["with <v19>", "open"]})  # fmt: skip
    ball = Radius(0.5, "probability", 0.5, 0.25, False, "The ball has radius 0.500. It holds 25% of them.")
    return Portrait(
        "user <7>", "item", features.reverse(), {"tag": "v1"}, {"tag": "v0"}, examples, ball, likely,
        notes=("Beware & read.",),
    )  # fmt: skip


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.said = [], ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data


def test_html_is_balanced_escaped_and_complete(portrait):
    page = Text()
    page.feed(portrait.to_html())
    assert page.open == []
    for text in (
        "What user <7> would like",
        "<v19>",
        "<b>One</b>",
        "8  (P 0.80)",
        "Beware & read.",
        "25%",
        "ikes <v19>: 100% of what would be liked (everyone's likes: 50%)",
        "tag: with <v19>",
    ):
        assert text in page.said
    assert portrait._repr_html_() == portrait.to_html()


def test_text_shows_the_ends_and_leaves_out_the_middle(portrait):
    text = str(portrait)
    for shown in ("<v19>", "<v0>", "nearest real ones", "Beware & read.", "radius 0.500"):
        assert shown in text
    assert "<v9>" not in text
    assert "\x1b" not in text


def test_markup_in_names_is_text(portrait):
    from dataclasses import replace

    assert "[bold]" in str(replace(portrait, subject="[bold]"))


def test_json_holds_everything(portrait):
    told = json.loads(portrait.to_json())
    assert told == json.loads(json.dumps(portrait.to_dict()))
    assert len(told["features"]) == 20
    assert told["examples"][1] == {"id": 8, "name": None, "distance": 0.2, "probability": 0.8}


def test_an_audience_has_its_own_heading(portrait):
    from dataclasses import replace

    assert replace(portrait, side="user").title == "Who would like user <7>"
