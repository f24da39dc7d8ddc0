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


def test_any_numbers_are_kept_as_float64_with_every_bit_of_a_nan():
    odd = np.array([0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0001, 0x8000_0000_0000_0000], dtype=np.uint64)
    found = unpack(pack({"nan": odd.view(np.float64)}))
    np.testing.assert_array_equal(found["nan"].view(np.uint64), odd)
    whole = np.arange(6).reshape(2, 3)
    assert pack({"a": whole}) == pack({"a": np.asfortranarray(whole)}) == pack({"a": whole.astype(">f8")})
    assert unpack(pack({"a": whole.T}))["a"].tolist() == whole.T.tolist()
    assert unpack(pack({})) == {}


@given(st.data())
def test_altered_bytes_are_refused_or_read_as_numbers(data):
    packed = bytearray(pack({"a": np.arange(3.0), "b": np.zeros((2, 1))}))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = unpack(bytes(packed))
    except StorageError:
        return
    assert sum(array.size for array in found.values()) <= 5


HEADS = [b"7", b"[1]", b'[["a",[-1]],["b",[2]]]', b'[["a",[1.0]]]', b'[["a",[0,%d]],["b",[1]]]' % 2**70, b"[" * 10**5]


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_heads_that_are_none_are_refused(head):
    with pytest.raises(StorageError, match="replay"):
        unpack(b"pst1" + len(head).to_bytes(4, "little") + head + bytes(8))
