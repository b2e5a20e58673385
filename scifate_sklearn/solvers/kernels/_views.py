"""Views of arrays that cost no more than an address."""

from typing import Any

from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array

# numba lets only functions that know of references return an array.
_WITH_REFERENCES: Any = {"_nrt": True}


def part_of(array: Any, start: int, size: int) -> Any:
    """Return a view of `size` numbers of a C-contiguous vector, from position `start` on.

    Compiled, it checks nothing: the slice ``array[start : start + size]`` costs as much as the work
    on a short row. The view holds no reference to the memory either.
    """
    return array[start : start + size]


@intrinsic
def _part_of(typing_context, array, start, size):
    def generate(context, builder, signature, arguments):
        whole = context.make_array(array)(context, builder, arguments[0])
        part = context.make_array(array)(context, builder)
        populate_array(
            part,
            data=builder.gep(whole.data, [arguments[1]]),
            shape=(arguments[2],),
            strides=(whole.itemsize,),
            itemsize=whole.itemsize,
            meminfo=None,
        )
        return part._getvalue()

    return array(array, types.intp, types.intp), generate


@overload(part_of, jit_options=_WITH_REFERENCES)
def _compiled_part_of(array, start, size):
    if isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C":
        return lambda array, start, size: _part_of(array, start, size)
    raise TypingError("`part_of` takes C-contiguous vectors")
