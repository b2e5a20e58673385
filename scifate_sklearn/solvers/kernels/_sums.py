"""Sums of products in a fixed order, four terms at a time.

A compiler that may reorder a sum can do so differently in each place where a function is compiled,
so that last bits would differ. The order is therefore fixed: four partial sums, each of every
fourth term, which the processor computes at once and which are added at the end.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

# Number of terms that are added at once.
WIDTH = 4

_WITHOUT_REFERENCES: Any = {"_nrt": False}


def no_sums() -> Any:
    """Return four sums without terms."""
    return (0.0,) * WIDTH


def plus_products(sums: Any, x: Any, y: Any, t: int) -> Any:
    """Return the sums plus x[t] y[t] to x[t + 3] y[t + 3]; x and y are C-contiguous vectors."""
    return tuple(sums[lane] + x[t + lane] * y[t + lane] for lane in range(WIDTH))


def total(sums: Any) -> float:
    """Return the sum of all four."""
    return (sums[0] + sums[2]) + (sums[1] + sums[3])


class _Sums(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Sums")


_SUMS = _Sums()
_REGISTER = ir.VectorType(ir.DoubleType(), WIDTH)


@register_model(_Sums)
class _SumsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _REGISTER)


@intrinsic
def _no_sums(typing_context):
    def generate(context, builder, signature, arguments):
        return _REGISTER([0.0] * WIDTH)

    return _SUMS(), generate


@intrinsic
def _plus_products(typing_context, sums, x, y, t):
    def generate(context, builder, signature, arguments):
        terms = []
        for vector, kind in zip(arguments[1:3], (x, y), strict=True):
            data = context.make_array(kind)(context, builder, vector).data
            first = builder.gep(data, [arguments[3]])
            register = builder.bitcast(first, _REGISTER.as_pointer())
            terms.append(builder.load(register, align=8))
        # "contract" permits a single rounding (FMA) but no reordering.
        product = builder.fmul(*terms, flags=("contract",))
        return builder.fadd(arguments[0], product, flags=("contract",))

    return _SUMS(_SUMS, x, y, types.intp), generate


@intrinsic
def _total(typing_context, sums):
    def generate(context, builder, signature, arguments):
        lanes = [
            builder.extract_element(arguments[0], cgutils.int32_t(lane)) for lane in range(WIDTH)
        ]
        even, odd = builder.fadd(lanes[0], lanes[2]), builder.fadd(lanes[1], lanes[3])
        return builder.fadd(even, odd)

    return types.float64(_SUMS), generate


@overload(no_sums, jit_options=_WITHOUT_REFERENCES)
def _compiled_no_sums():
    return lambda: _no_sums()


@overload(plus_products, jit_options=_WITHOUT_REFERENCES)
def _compiled_plus_products(sums, x, y, t):
    return lambda sums, x, y, t: _plus_products(sums, x, y, t)


@overload(total, jit_options=_WITHOUT_REFERENCES)
def _compiled_total(sums):
    return lambda sums: _total(sums)
