import pytest

from penchant.service.explorer.finding import finder_of, folded


@pytest.fixture(scope="module")
def finder(odd):
    return finder_of(odd.service.models.serving.first)


def ids(found):
    return [one["id"] for one in found]


def test_the_finder_of_a_model_is_made_once(odd, finder):
    assert finder_of(odd.service.models.serving.first) is finder


@pytest.mark.parametrize(
    "text", ["x.json", "<script>alert(1)</script>", "👩‍🚀", "user x.json", "用户 x.json", "User x.json"]
)
def test_one_who_is_meant_is_found(finder, text):
    found = finder.exact(text)
    assert [one["side"] for one in found] == ["user"]
    assert found[0]["id"] in text


def test_an_id_comes_before_a_word_for_a_side(finder):
    assert ids(finder.exact("用户 1")) == ["用户 1"]
    assert finder.exact("item x.json") == []
    assert ids(finder.exact("item i/2.json")) == ["i/2.json"]


def test_parts_of_ids_are_found_what_begins_so_first(finder):
    found = ids(finder.containing("i1", "item", 5))
    assert len(found) == 5
    assert all(one.startswith("i1") for one in found)
    assert ids(finder.containing(".JSON", "user", 5)) == ["x.json"]
    assert finder.containing("[(.*", "user", 5) == []


def test_suggestions_are_of_both_sides_and_few(finder):
    found = finder.suggested("1", 8)
    assert len(found) == 8
    assert {one["side"] for one in found} == {"user", "item"}
    assert {one["side"] for one in finder.suggested("item 1", 8)} == {"item"}
    assert finder.suggested("no such thing at all", 8) == []


def test_who_is_spelled_alike(finder):
    assert ids(finder.alike("user", "x.jsno"))[0] == "x.json"
    assert finder.alike("user", "\0\0") == []
    assert finder.alike("user", "") == []


def test_case_and_accents_do_not_matter():
    assert folded("Ámélie STRASSE") == folded("amelie straße")
