import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from penchant.dynamics.events import pack, unpack
from penchant.errors import StorageError

some = st.dictionaries(st.text(max_size=8), arrays(np.float64, array_shapes(min_dims=0, max_dims=3, max_side=4)))


@given(some)
def test_arrays_come_back_bit_for_bit_and_equal_ones_give_equal_bytes(given_):
    data = pack(given_)
    found = unpack(data)
    assert set(found) == set(given_)
    for name, array in given_.items():
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.astype("<f8").tobytes()
    assert pack(dict(reversed(given_.items()))) == data


def test_what_comes_back_is_ones_own():
    found = unpack(pack({"a": np.zeros(2)}))
    found["a"][0] = 1.0  # not read-only


@pytest.mark.parametrize("cut", [0, 3, 8, -1])
def test_other_bytes_are_refused(cut):
    data = pack({"a": np.arange(3.0)})
    for wrong in (data[:cut], b"pst2" + data[4:], b"x" * 40):
        with pytest.raises(StorageError, match="replay"):
            unpack(wrong)
