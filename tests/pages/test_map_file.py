import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest
from pictures import picture

from penchant.errors import ConfigError
from penchant.pages import _bundle, map_file
from penchant.pages._bundle import bundle
from penchant.pages.map_file import FRAME_LIMIT, map_frame, map_page
from penchant.pages.rendering import TEMPLATES
from penchant.pages.static import STATIC, static_bytes
from penchant.pages.words import catalog


class Seen(HTMLParser):
    """What a browser finds in a page: elements with their attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found, self.inside, self._open = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self._open = (tag, dict(attributes)) if tag in ("script", "style") else None

    def handle_data(self, data):
        if self._open:
            self.inside.append((*self._open, data))
            self._open = None

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def page():
    return Seen(map_page(picture()))


def test_the_policy_allows_what_is_inside_and_nothing_else(page):
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "content-security-policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    run = [text for tag, attributes, text in page.inside if tag == "script" and attributes["type"] == "module"]
    styles = [text for tag, _, text in page.inside if tag == "style"]
    for texts, rule in ((run, "script-src"), (styles, "style-src")):
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert texts
        assert rules[rule].split() == [f"'sha256-{one}'" for one in digests]


def test_the_policy_comes_before_anything_it_is_for(page):
    assert [tag for tag, _ in page.found[:4]] == ["html", "head", "meta", "meta"]


def test_nothing_is_loaded_from_elsewhere(page):
    for _, attributes in page.found:
        assert not {"src", "action", "srcdoc", "style"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"https?://", map_page(picture()))


def test_the_map_comes_out_as_it_went_in(page):
    data = next(text for tag, attributes, text in page.inside if attributes.get("id") == "map-data")
    assert json.loads(data) == json.loads(json.dumps(picture()))


def test_hostile_names_make_no_elements():
    plain, hostile = (Seen(map_page(one)).found for one in (picture(0), picture(600, words=300)))
    assert [tag for tag, _ in plain] == [tag for tag, _ in hostile]


@pytest.mark.parametrize("title", ["</title><script>x</script>", 'a"b'])
def test_a_title_is_text(title):
    seen = Seen(map_page(picture(3), title=title))
    assert len(seen.all("script")) == len(Seen(map_page(picture(3))).all("script"))
    assert f"<h1>{html.escape(title, quote=False)}</h1>" in map_page(picture(3), title=title).replace("&#34;", '"')


def test_languages():
    zh = map_page(picture(3), lang="zh")
    assert 'lang="zh-Hans"' in zh
    words = next(text for _, attributes, text in Seen(zh).inside if attributes.get("id") == "words")
    assert json.loads(words)["Nothing found"] == "没有找到"
    with pytest.raises(ConfigError, match="lang = 'fr'"):
        map_page(picture(3), lang="fr")


def test_every_text_of_the_scripts_is_brought_by_the_page():
    scripts = "".join(static_bytes(name).decode() for name in STATIC if re.fullmatch(r"map\w*\.js", name))
    said = set(re.findall(r'say\(\s*"([^"]+)"', scripts))
    template = (TEMPLATES / "map.html").read_text(encoding="utf-8")
    block = re.search(r"\{\{ words\((.*?)\) \}\}", template, re.DOTALL)
    listed = set(re.findall(r'"([^"]+)"', block[1]))
    assert len(said) > 40
    assert said <= listed
    assert listed <= set(catalog("zh"))


def test_a_notebook_gets_a_frame_shut_off_from_its_page(monkeypatch):
    (frame,) = Seen(map_frame(picture())).found
    assert frame[0] == "iframe"
    assert "allow-same-origin" not in frame[1]["sandbox"]
    assert frame[1]["srcdoc"] == map_page(picture())
    monkeypatch.setattr(map_file, "FRAME_LIMIT", 1000)
    told = map_frame(picture())
    assert "iframe" not in told
    assert "penchant map" in told
    assert FRAME_LIMIT > 10**6


def test_a_bundle_holds_each_module_once_after_what_it_needs():
    script = bundle("map.js")
    modules = re.findall(r"^const module_(\w+) = \(\(\) => \{$", script, re.MULTILINE)
    assert len(modules) == len(set(modules))
    assert modules[-1] == "map_js"
    assert modules.index("points_view_js") < modules.index("points_js") < modules.index("map_page_js")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert "</script" not in script


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"a.js": 'import * as b from "./b.js";'}, "import \\*"),
        ({"a.js": "export default 3;"}, "export default"),
        ({"a.js": 'import { b } from "./b.js";', "b.js": 'import { a } from "./a.js";'}, "imports itself"),
    ],
)
def test_modules_written_otherwise_are_refused(monkeypatch, texts, said):
    monkeypatch.setattr(_bundle, "static_bytes", lambda name: texts[name].encode())
    with pytest.raises(ValueError, match=said):
        bundle.__wrapped__("a.js")


def test_imports_under_another_name(monkeypatch):
    texts = {"a.js": 'import { b as c } from "./b.js";\nc();', "b.js": "export const b = () => 1;"}
    monkeypatch.setattr(_bundle, "static_bytes", lambda name: texts[name].encode())
    assert "const { b: c } = module_b_js;" in bundle.__wrapped__("a.js")
