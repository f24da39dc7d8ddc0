"""Every text of every template, script and list has its translation; nothing is translated that is not said."""

import json
import re

import pytest
from jinja2 import nodes

from penchant.pages.rendering import NAVIGATION, TEMPLATES, environment
from penchant.pages.words import LANGUAGES, Words, catalog, choose_language

OTHERS = [language for language in LANGUAGES if language != "en"]


def texts():
    """Every English text, with the templates that say it; also those that are not written out."""
    found = {name: {"the navigation"} for _, name in NAVIGATION}
    for file in TEMPLATES.glob("*.html"):
        for call in environment().parse(file.read_text()).find_all(nodes.Call):
            if not isinstance(call.node, nodes.Name) or call.node.name not in ("_", "words"):
                continue
            for said in call.args[: None if call.node.name == "words" else 1]:
                assert isinstance(said, nodes.Const), f"{file.name}:{call.lineno}: _() needs the text itself"
                found.setdefault(said.value, set()).add(file.name)
    return found


TEXTS = texts()


def places(text):
    return sorted(re.findall(r"\{(\w*)\}", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_values(language):
    own = catalog(language)
    missing = {text: sorted(files) for text, files in TEXTS.items() if not own.get(text, "").strip()}
    assert not missing, f"words/{language}.json: add {json.dumps(missing, ensure_ascii=False)}"
    for text in TEXTS:
        assert places(own[text]) == places(text), f"{language}: {text!r} and its translation name other values"


@pytest.mark.parametrize("language", OTHERS)
def test_the_file_is_in_order(language):
    text = (TEMPLATES.parent / "words" / f"{language}.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_texts_between_tags_are_said_in_words():
    """Nothing that people read stands in a template as it is."""
    tags = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>|&\w+;", re.DOTALL)
    for file in TEMPLATES.glob("*.html"):
        left = tags.sub(" ", file.read_text())
        words = set(re.findall(r"[A-Za-z]{2,}", left)) - {"penchant"}
        assert not words, f"{file.name}: {sorted(words)} in _(…)"


def test_scripts_hold_no_texts_of_their_own():
    """What a module gives to words() is on some page."""
    said = {text for file in TEMPLATES.parent.glob("static/*.js") for text in re.findall(
        r"\b(?:text|word|say|words|_)\(\s*\"([^\"]+)\"", file.read_text())}  # fmt: skip
    assert said <= set(TEXTS), said - set(TEXTS)


def test_values_are_escaped_and_texts_are_not_formats_of_theirs():
    words = Words("zh")
    assert words("Why {item}?", item="<b>{x}</b>") == "为什么是&lt;b&gt;{x}&lt;/b&gt;？"
    assert words("no such text") == "no such text"
    assert words.said("made <by> a library") == '<span lang="en">made &lt;by&gt; a library</span>'
    assert Words("en").said("made <by>") == "made &lt;by&gt;"
    assert Words("zh").several("Search", "x") == {"Search": "搜索", "x": "x"}


@pytest.mark.parametrize(
    ("asked", "kept", "accept", "found"),
    [
        ("zh", "en", "en", "zh"),
        (None, "zh", "en", "zh"),
        ("xx", "yy", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "de, en;q=0.3, zh;q=0.2", "en"),
        (None, None, "fr", "en"),
        (None, None, "zh;q=0", "en"),
        (None, None, "zh;q=nonsense, en", "en"),
        (None, None, "", "en"),
    ],
)
def test_whose_language_it_is(asked, kept, accept, found):
    assert choose_language(asked, kept, accept) == found
