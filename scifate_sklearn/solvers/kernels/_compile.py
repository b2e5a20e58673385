"""Compiler options of the kernels."""

from collections.abc import Callable
from typing import Any

import numba
from numba.extending import register_jitable

from ._cache import cache_of


def njit(**options: Any) -> Callable[[Any], Any]:
    """Return numba's decorator, whose errors of the cache do not prevent a compilation."""
    # numba's types do not know all of its options.
    decorate: Any = numba.njit(**options)

    def compiled(function: Any) -> Any:
        dispatcher = decorate(function)
        # numba has no public way to choose a cache. NUMBA_DISABLE_JIT gives plain functions.
        if dispatcher is not function:
            vars(dispatcher)["_cache"] = cache_of(function)
        return dispatcher

    return compiled


# Kernels allocate no arrays, only views: the caller provides the memory. So numba need not count
# references (`_nrt`), whose atomic instructions took a fifth of the time of a short path.
_OPTIONS: dict[str, Any] = {
    "_nrt": False,
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}

# Functions that Python calls. Wrappers cost as much compile time as functions, so the other kinds
# have none and can be called from Python only through `py_func`.
entry_point = njit(**_OPTIONS)
kernel = njit(**_OPTIONS, no_cpython_wrapper=True)

# Functions inlined into the caller before it is compiled, for steps that are called in one place:
# compiled separately they would be optimized twice, and a call that copies the arrays of a model
# can cost as much as the step.
inlined = njit(**_OPTIONS, no_cpython_wrapper=True, inline="always")

# Arithmetic that Python uses as well.
shared: Any = register_jitable(_nrt=False)

# A product and an addition may be one instruction. Nothing may be reordered: a function that is
# compiled in several places must give the same bits in each.
fused = njit(**_OPTIONS, no_cpython_wrapper=True, fastmath={"contract"})
