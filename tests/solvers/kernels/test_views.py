import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from scifate_sklearn.solvers.kernels._views import part_of


@njit
def compiled_part(array, start, size):
    return part_of(array, start, size)


@pytest.mark.parametrize("part", [part_of, compiled_part])
@pytest.mark.parametrize("dtype", [np.float64, np.intp, np.bool_])
def test_a_part_shares_the_memory_of_the_whole(part, dtype):
    array = np.zeros(5, dtype)
    view = part(array, 1, 3)
    view[:] = 1
    assert view.shape == (3,)
    assert array.tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("array", [np.zeros((2, 3)), np.zeros(6)[::2], 1.0])
def test_only_contiguous_vectors_have_parts(array):
    with pytest.raises(TypingError):
        compiled_part(array, 0, 1)
