"""Conditional mutual information from distances to nearest neighbours.

The steps of one target share the points (y, z), so that all its TFs x are done together: for point
i the points whose z is near are listed once, with their distances in z and in (y, z). A list of
radius R has all points with d_z ≤ R. If k of its points are within R in (x, y, z), then the k-th
neighbour in (x, y, z) and all counts within its distance are exact. R follows the distances that
are found; it changes the time, not the result.

Points are in ascending order of z[0], so that those with d_z ≤ R are in a range.
"""

import numpy as np

from ._compile import entry_point, inlined, kernel

# A list is this much wider than the first TF needs, so that most others do not widen it again.
MARGIN = 1.3
WIDENING = 2.0
# The k-th smallest distance is searched by halving until an interval has so few distances.
_FEW = 8
_MOST_HALVINGS = 30


@entry_point
def conditional_information(x, y, z, psi, is_closed, spacing, near, lists, nearest, means):
    """Compute mean_i ψ(m_xyz) − ψ(m_xz) − ψ(m_yz) + ψ(m_z) for each x, in place.

    Parameters
    ----------
    x : ndarray of shape (n_x, d_x, n)
    y : ndarray of shape (d_y, n)
    z : ndarray of shape (d_z, n)
        In ascending order of ``z[0]``.
    psi : ndarray of shape (n + 1,)
        The digamma function of 1, 2, …, n, after one number that is not used.
    is_closed : bool
        Whether m_S is the number of points within the distance of the k-th neighbour or at it
        (Mesner & Shalizi); else it is at least one more than the number within (Frenzel & Pompe).
    spacing : float
        A positive distance, small against the spread of the points.
    near : ndarray of int of shape (n,)
    lists : ndarray of shape (4, n)
    nearest : ndarray of shape (k,)
        Memory; its size is the number of the neighbour.
    means : ndarray of shape (n_x,)
        The result; zeros before.
    """
    n = y.shape[1]
    start = spacing
    for i in range(n):
        radius = start
        size = list_neighbours(y, z, i, radius, near, lists)
        for m in range(x.shape[0]):
            distance = _distance(x[m], i, radius, near, lists, size, nearest)
            while distance > radius:
                radius = min(distance, WIDENING * radius)
                size = list_neighbours(y, z, i, radius, near, lists)
                distance = _distance(x[m], i, radius, near, lists, size, nearest)
            means[m] += _contribution(lists, size, distance, psi, is_closed)
            if m == 0:
                start = max(MARGIN * distance, spacing)
                if start < radius:
                    radius = start
                    size = _shorten(near, lists, size, radius)
    for m in range(x.shape[0]):
        means[m] /= n


@kernel
def list_neighbours(y, z, i, radius, near, lists):
    """List the other points with d_z ≤ radius, with d_z and d_yz; return their number."""
    n = y.shape[1]
    size = np.intp(0)
    low, high = np.intp(0), np.intp(n)
    if z.shape[0] > 0:
        low, high = _first(z, i, radius), _last(z, i, radius) + 1
    for j in range(low, high):
        d = 0.0
        for c in range(z.shape[0]):
            d = max(d, abs(z[c, j] - z[c, i]))
        near[size] = j
        lists[0, size] = d
        size += (d <= radius) & (j != i)
    for s in range(size):
        d = lists[0, s]
        for c in range(y.shape[0]):
            d = max(d, abs(y[c, near[s]] - y[c, i]))
        lists[1, s] = d
    return size


@inlined
def _first(z, i, radius):
    """Return the first point of the range with |z[0] − z[0, i]| ≤ radius."""
    low, high = np.intp(0), np.intp(i)
    while low < high:
        middle = (low + high) // 2
        if abs(z[0, middle] - z[0, i]) <= radius:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _last(z, i, radius):
    """Return the last point of the range with |z[0] − z[0, i]| ≤ radius."""
    low, high = np.intp(i), np.intp(z.shape[1] - 1)
    while low < high:
        middle = (low + high + 1) // 2
        if abs(z[0, middle] - z[0, i]) <= radius:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def _shorten(near, lists, size, radius):
    """Remove the points with d_z > radius from the list; return the number of the others."""
    kept = np.intp(0)
    for s in range(size):
        near[kept] = near[s]
        lists[0, kept] = lists[0, s]
        lists[1, kept] = lists[1, s]
        kept += lists[0, s] <= radius
    return kept


@kernel
def _distance(x, i, radius, near, lists, size, nearest):
    """Store d_xz and d_xyz of the listed points; return the k-th smallest d_xyz.

    Infinity stands for distances above the radius, of which the list may lack some.
    """
    for s in range(size):
        d = abs(x[0, near[s]] - x[0, i])
        for c in range(1, x.shape[0]):
            d = max(d, abs(x[c, near[s]] - x[c, i]))
        lists[2, s] = max(d, lists[0, s])
        lists[3, s] = max(d, lists[1, s])
    return smallest(lists[3], size, radius, nearest)


@kernel
def smallest(values, size, largest, nearest):
    """Return the k-th smallest of some values, k being the size of `nearest`, or infinity.

    An interval that has the result is halved, which compares many values at once, until few values
    are in it; these are sorted by insertion.
    """
    k = np.intp(nearest.size)
    below, above = -1.0, largest
    n_below, n_above = np.intp(0), _count(values, size, largest)
    if n_above < k:
        return np.inf
    for _ in range(_MOST_HALVINGS):
        if n_above - n_below <= _FEW:
            break
        middle = 0.5 * (max(below, 0.0) + above)
        n_middle = _count(values, size, middle)
        if n_middle < k:
            below, n_below = middle, n_middle
        else:
            above, n_above = middle, n_middle
    last = k - n_below - 1
    for s in range(last + 1):
        nearest[s] = above
    for s in range(size):
        value = values[s]
        if below < value < nearest[last]:
            place = last
            while place > 0 and nearest[place - 1] > value:
                nearest[place] = nearest[place - 1]
                place -= 1
            nearest[place] = value
    return nearest[last]


@kernel
def _count(values, size, largest):
    """Return how many values are not above a number."""
    count = np.intp(0)
    for s in range(size):
        count += values[s] <= largest
    return count


@kernel
def _contribution(lists, size, distance, psi, is_closed):
    """Return ψ(m_xyz) − ψ(m_xz) − ψ(m_yz) + ψ(m_z) of a point."""
    open_z = open_yz = open_xz = open_xyz = 0
    closed_z = closed_yz = closed_xz = closed_xyz = 0
    for s in range(size):
        z, yz, xz, xyz = lists[0, s], lists[1, s], lists[2, s], lists[3, s]
        closed_z += z <= distance
        closed_yz += yz <= distance
        closed_xz += xz <= distance
        closed_xyz += xyz <= distance
        open_z += z < distance
        open_yz += yz < distance
        open_xz += xz < distance
        open_xyz += xyz < distance
    if not is_closed:
        closed_z = max(closed_z, open_z + 1)
        closed_yz = max(closed_yz, open_yz + 1)
        closed_xz = max(closed_xz, open_xz + 1)
        closed_xyz = max(closed_xyz, open_xyz + 1)
    # In this order the difference is exactly 0 if x or y is constant.
    return (psi[closed_xyz] - psi[closed_xz]) - (psi[closed_yz] - psi[closed_z])
