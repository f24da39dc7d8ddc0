import re
from pathlib import Path

import pytest

from penchant.pages.static import STATIC, static_bytes, static_url, static_version

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", STATIC)
def test_files_load_nothing_from_elsewhere_and_run_no_text(name):
    text = static_bytes(name).decode()
    addresses = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not addresses
    assert not re.search(r"\beval\(|new Function|document\.write|@import|setAttribute\(\"style\"", text)


@pytest.mark.parametrize("name", [name for name in STATIC if name.endswith(".js")])
def test_modules_import_their_neighbours_alone(name):
    for target in re.findall(r"""(?:from|import)\s+["']([^"']+)["']""", static_bytes(name).decode()):
        assert target.startswith("./")
        assert target[2:] in STATIC


def test_addresses_change_with_the_files():
    assert static_url("penchant.css") == f"/static/{static_version()}/penchant.css"
    with pytest.raises(KeyError):
        static_url("none.css")
    with pytest.raises(KeyError):
        static_bytes("../rendering.py")


def test_the_style_sheet_has_both_themes_in_both_ways():
    css = static_bytes("penchant.css").decode()
    system = re.search(
        r"prefers-color-scheme: dark\) \{\s*:root:not\(\[data-theme=\"light\"\]\) \{(.*?)\}", css, re.DOTALL
    )
    chosen = re.search(r":root\[data-theme=\"dark\"\] \{(.*?)\}", css, re.DOTALL)
    assert system
    assert chosen
    assert system[1].split() == chosen[1].split()


COLOURS = {"light": {}, "dark": {}}
_CSS = static_bytes("penchant.css").decode()
for theme, block in (
    ("light", _CSS[_CSS.index(":root {") :]),
    ("dark", _CSS[_CSS.index(':root[data-theme="dark"]') :]),
):
    COLOURS[theme] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_that_of_wcag_aa(theme):
    colour = COLOURS[theme]
    for ground in ("paper", "raised", "liked-wash", "disliked-wash"):
        for text in ("ink", "soft", "liked", "disliked"):
            if ground == "disliked-wash" and text == "liked":
                continue  # nowhere together
            least = 4.5
            assert contrast(colour[text], colour[ground]) >= least, (text, ground)
    for mark in ("line-strong", "neutral", "focus"):
        assert contrast(colour[mark], colour["paper"]) >= 3, mark
    for filled in ("liked", "disliked"):
        assert contrast(colour["on-accent"], colour[filled]) >= 4.5


def test_nothing_keeps_the_files_out_of_the_wheel():
    """The wheel holds the whole package but for what git ignores."""
    ignored = [line.strip("/*") for line in (ROOT / ".gitignore").read_text().split() if not line.startswith("#")]
    for file in (ROOT / "src" / "penchant" / "pages").rglob("*"):
        if file.suffix in (".html", ".css", ".js", ".svg", ".json"):
            assert not set(file.relative_to(ROOT).parts) & set(ignored)
            assert file.suffix not in {f".{one.rpartition('.')[2]}" for one in ignored}
