import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from scifate_sklearn.solvers.kernels.borrow import borrowed


@njit
def borrowed_view(array):
    return borrowed(array[1:])


@njit
def ordinary_view(array):
    return array[1:]


def test_a_borrowed_view_shares_memory_but_does_not_own_it():
    array = np.zeros(3)
    view = borrowed_view(array)
    view += 1.0
    assert array.tolist() == [0.0, 1.0, 1.0]
    assert view.base is None
    assert ordinary_view(array).base is not None


def test_only_arrays_can_be_borrowed():
    with pytest.raises(TypingError):
        njit(lambda x: borrowed(x))(1.0)


def test_python_borrows_the_array_itself():
    array = np.zeros(3)
    assert borrowed(array) is array
