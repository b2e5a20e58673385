"""Arrays whose lifetime somebody else looks after.

Compiled functions count references to each array they are given, by atomic instructions: for the
many arrays of a model, a fifth of the time of a short path. Kernels therefore work on views that
are not counted. Whoever makes one keeps the array alive for as long as the view is used.
"""

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic, overload


def borrowed(array: Any) -> Any:
    """Return a view of an array that holds no reference to its memory."""
    return array


@intrinsic
def _without_owner(typing_context, array):
    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.return_type)(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), generate


@overload(borrowed, inline="never")
def _borrowed(array):
    if isinstance(array, types.Array):
        return lambda array: _without_owner(array)
    return None
