"""Views of arrays at the cost of an address."""

from typing import Any

from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

# In numba only functions that count references may return an array.
_WITH_REFERENCES: Any = {"_nrt": True}


def part_of(array: Any, start: int, size: int) -> Any:
    """Return a view of `size` numbers of a C-contiguous vector, from position `start` on.

    The compiled function checks nothing: the slice ``array[start : start + size]`` costs as much as
    the work on a short row. The view holds no reference to the memory either.
    """
    return array[start : start + size]


@intrinsic
def _part_of(typing_context, array, start, size):
    def generate(context, builder, signature, arguments):
        whole, first, length = arguments
        data = context.make_array(array)(context, builder, whole).data
        model = context.data_model_manager[array]
        no_memory = cgutils.get_null_value(context.get_value_type(model.get_type("meminfo")))
        no_parent = cgutils.get_null_value(context.get_value_type(model.get_type("parent")))
        part = whole
        for name, value in (
            ("meminfo", no_memory),
            ("parent", no_parent),
            ("data", builder.gep(data, [first])),
            ("nitems", length),
            ("shape", cgutils.pack_array(builder, [length])),
        ):
            part = builder.insert_value(part, value, model.get_field_position(name))
        return part

    return array(array, types.intp, types.intp), generate


@overload(part_of, jit_options=_WITH_REFERENCES)
def _compiled_part_of(array, start, size):
    if isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C":
        return lambda array, start, size: _part_of(array, start, size)
    raise TypingError("`part_of` takes C-contiguous vectors")
