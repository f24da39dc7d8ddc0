"""The TOML writer: whatever it writes, the standard library reads."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.tables import _toml

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUE = TEXT | st.integers(-(2**63), 2**63 - 1) | st.dictionaries(TEXT, TEXT | st.integers(-9, 9), max_size=3)


@given(st.dictionaries(TEXT, VALUE, max_size=5), st.lists(TEXT, max_size=2))
@settings(deadline=None, max_examples=100)
def test_what_is_written_is_read(pairs, notes) -> None:
    assert tomllib.loads(_toml.section("a.b", pairs, notes=notes)) == {"a": {"b": pairs}}
