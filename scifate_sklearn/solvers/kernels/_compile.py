"""How the kernels are compiled."""

from typing import Any

import numba
from numba.extending import register_jitable

# numba's types do not know all of its options.
njit: Any = numba.njit

# Kernels make no arrays but views: whoever calls one brings its memory. So numba need not count
# references (`_nrt`), which by atomic instructions took a fifth of the time of a short path.
_OPTIONS: dict[str, Any] = {
    "_nrt": False,
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}

# What Python calls. Wrappers cost as much compile time as functions, so the others have none, and
# must not be called from Python but by `py_func`.
entry_point = njit(**_OPTIONS)
kernel = njit(**_OPTIONS, no_cpython_wrapper=True)

# Put into the caller before that is compiled. For steps that are called in one place: apart they
# would be optimised once more, and a call that copies the arrays of a model costs as much as many
# a step.
inlined = njit(**_OPTIONS, no_cpython_wrapper=True, inline="always")

# Arithmetic that Python needs as well.
shared: Any = register_jitable(_nrt=False)

# A product and an addition may be one instruction. Nothing may be reordered: copies of a function
# are optimised here and there, and must give the same bits.
fused = njit(**_OPTIONS, no_cpython_wrapper=True, fastmath={"contract"})
