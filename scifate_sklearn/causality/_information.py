"""conditional_mutual_information: an estimate from nearest neighbours."""

from __future__ import annotations

from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ..preprocessing import naming
from ..solvers import InformationProblem
from ._weighted import check_ties, uniform_weights, weighted_information

Floats = NDArray[np.float64]

# With fewer cells for each neighbour the neighbours are far.
LEAST_CELLS = 4


@validate_params(
    {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "estimator": [StrOptions({"ksg", "scribe"})],
        "weights": [StrOptions({"uniform"}), "array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def conditional_mutual_information(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    n_neighbors: int = 5,
    estimator: Literal["ksg", "scribe"] = "ksg",
    weights: ArrayLike | Literal["uniform"] | None = None,
) -> float:
    """Estimate the conditional mutual information of x and y given z, in nats.

    The result is near 0 if x and y are independent given z; it can be below 0. Distances are
    compared as they are, so that all columns should have similar spreads, such as z-scores.

    Parameters
    ----------
    x, y : array-like of shape (n_cells,) or (n_cells, n_columns)
        The two variables; exchanging them gives the same result.
    z : array-like of shape (n_cells,) or (n_cells, n_columns)
        What is known already; without columns the result is the mutual information of x and y.
    n_neighbors : int, default=5
        The neighbour k whose distance is used. More neighbours give less variance and more bias.
    estimator : {"ksg", "scribe"}, default="ksg"
        ``"scribe"`` is the estimate of the package Scribe, which is 0.02 to 0.04 nats higher.
    weights : {"uniform"}, array-like of shape (n_cells,) or None, default=None
        ``"uniform"`` weights the cells as if x and z were uniformly distributed (uRDI of Scribe),
        so that the result depends less on which values are frequent. Or positive weights of the
        cells, of which only the ratios matter.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If values are missing or infinite, there are fewer than 4 cells for each neighbour, a column
        of `x` or `y` is in `z` too, or weights are not positive; with weights also if over 1 % of
        the cells have the x and z of another cell.

    Warns
    -----
    UserWarning
        If uniform weights have an effective sample size below a quarter of the cells.

    Notes
    -----
    Distances are largest differences of columns. With the distance ρ_i from cell i to its k-th
    nearest other cell in (x, y, z), and for each subspace S the numbers o_S of other cells at less
    than ρ_i and c_S of those at most at ρ_i,

        I = mean_i ψ(m_xyz) − ψ(m_xz) − ψ(m_yz) + ψ(m_z),   m_S = max(c_S, o_S + 1).

    This is the estimate of Frenzel & Pompe on continuous data and that of Mesner & Shalizi on tied
    data; no noise is added to break ties. ``"scribe"`` takes m_S = c_S. With weights w of mean 1
    and their sums n_S over the c_S cells,

        I = mean_i w_i [ψ(k) − log c_xz − log n_yz + log n_z].

    References
    ----------
    S. Frenzel, B. Pompe, "Partial mutual information for coupling analysis of multivariate time
    series", Physical Review Letters 99, 2007.

    O. C. Mesner, C. R. Shalizi, "Conditional mutual information estimation for mixed, discrete and
    continuous data", IEEE Transactions on Information Theory 67, 2021.

    A. Rahimzamani, S. Kannan, "Potential conditional mutual information: Estimators and
    properties", Allerton Conference, 2017.

    X. Qiu et al., "Inferring causal gene regulatory networks from coupled single-cell expression
    dynamics using Scribe", Cell Systems 10, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from scifate_sklearn.causality import conditional_mutual_information
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=1000)
    >>> x, y = z + rng.normal(size=(2, 1000))
    >>> round(conditional_mutual_information(x, y, np.empty((1000, 0))), 2)
    0.11
    >>> round(conditional_mutual_information(x, y, z), 2)
    0.0
    """
    points = {name: _as_columns(values, name) for name, values in (("x", x), ("y", y), ("z", z))}
    _check_sizes(points, n_neighbors)
    is_closed = estimator == "scribe"
    if weights is None:
        problem = InformationProblem(points["y"], points["z"], n_neighbors, is_closed=is_closed)
        return float(problem.estimate(points["x"][None])[0])
    check_ties(points["x"], points["z"])
    if isinstance(weights, str):
        of_cells = uniform_weights(points["x"], points["z"])
    else:
        of_cells = _as_weights(weights, points["x"].shape[1])
    return weighted_information(
        points["x"], points["y"], points["z"], of_cells, n_neighbors, is_closed=is_closed
    )


def check_cells(n_cells: int, n_neighbors: int, advice: str = "give more cells") -> None:
    """Raise ValueError if there are too few cells for the number of neighbours."""
    if n_cells < LEAST_CELLS * n_neighbors:
        raise ValueError(
            f"{n_neighbors} neighbours need at least {LEAST_CELLS * n_neighbors} cells, got "
            f"{n_cells}. Lower `n_neighbors`, or {advice}."
        )


def shared_columns(points: Floats, z: Floats) -> NDArray[np.bool_]:
    """Return for each row of `points` whether it is a row of `z`, and not constant."""
    is_shared = np.array([any((one == other).all() for other in z) for one in points], dtype=bool)
    return is_shared & (np.ptp(points, axis=1) > 0)


def _as_columns(values: ArrayLike, name: str) -> Floats:
    """Return an array of shape (n_columns, n_cells)."""
    with naming(f"`{name}`"):
        table = np.asarray(values)
        if table.ndim == 1:
            table = table[:, None]
        if np.iscomplexobj(table):
            raise ValueError("the numbers must be real, got complex ones.")
        least = 0 if name == "z" else 1
        checked = check_array(table, dtype=np.float64, ensure_min_features=least, input_name="")
    return np.ascontiguousarray(checked.T)


def _check_sizes(points: dict[str, Floats], n_neighbors: int) -> None:
    sizes = {name: columns.shape[1] for name, columns in points.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"`{name}` {size}" for name, size in sizes.items())
        raise ValueError(f"`x`, `y` and `z` must have the same cells, got {found}.")
    check_cells(sizes["x"], n_neighbors)
    for name in ("x", "y"):
        if shared_columns(points[name], points["z"]).any():
            raise ValueError(
                f"A column of `{name}` is in `z` too, so that its information is always 0. Leave "
                "it out of `z`."
            )


def _as_weights(weights: ArrayLike, n_cells: int) -> Floats:
    with naming("`weights`"):
        given = check_array(weights, dtype=np.float64, ensure_2d=False, input_name="")
    if given.shape != (n_cells,) or not (given > 0).all():
        raise ValueError(
            f"`weights` must be positive numbers, one for each of {n_cells} cells, got the shape "
            f"{given.shape} and values from {given.min():g}."
        )
    relative = given / given.max()
    return np.asarray(relative / relative.mean())
