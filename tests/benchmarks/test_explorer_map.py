import base64
import re

import numpy as np
import pytest

from penchant.pages.map_file import map_page
from penchant.pages.rendering import NAVIGATION


@pytest.fixture(scope="module")
def made_up_map(benchmark_module):
    return benchmark_module("_explorer_map").made_up_map


def test_the_made_up_map_has_the_form_of_real_ones(made_up_map):
    picture = made_up_map(5000)
    assert picture["form"] == "penchant.map/1"
    for name, kind in (("x", "<f4"), ("y", "<f4"), ("side", "u1"), ("cluster", "<i2")):
        assert len(np.frombuffer(base64.b64decode(picture[name]), kind)) == picture["n"] == len(picture["ids"])
    sizes = [one["size"] for one in picture["clusters"]]
    assert sum(sizes) == 5000
    for column in picture["columns"]:
        values = np.frombuffer(base64.b64decode(column["values"]), "<f4" if column["kind"] == "number" else "<i2")
        assert len(values) == 5000
    assert made_up_map(500) == made_up_map(500)


def test_the_page_beside_ours_holds_the_same_points(made_up_map, benchmark_module):
    picture = made_up_map(300)
    page = benchmark_module("_explorer_pages").plotly_page(picture)
    assert picture["x"] in page
    assert picture["y"] in page
    assert picture["x"] in map_page(picture)
    assert not re.search(r"<script[^>]+src=", page)


def test_no_page_of_the_navigation_is_left_out_of_what_axe_looks_at(benchmark_module):
    looked_at = {path for path, _ in benchmark_module("_explorer_access")._PAGES}
    assert {path for path, _ in NAVIGATION} <= looked_at
    assert "accessibility" in benchmark_module("explorer").CASES
