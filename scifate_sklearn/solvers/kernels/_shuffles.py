"""Permutations of points among their nearest ones (Runge 2018).

A permutation of x among points with nearly the same z keeps what x owes to z, and removes what it
has to do with y beyond that.
"""

import numpy as np

from ._compile import entry_point
from ._neighbours import MARGIN, WIDENING, list_neighbours, smallest


@entry_point
def shuffle_candidates(z, spacing, near, lists, nearest, candidates, n_inside, n_candidates):
    """List for each point its nearest ones in z, itself included, in place.

    Parameters
    ----------
    z : ndarray of shape (d_z, n)
        In ascending order of ``z[0]``.
    spacing, near, lists, nearest
        As for `conditional_information`; with one neighbour fewer, because the point itself counts.
    candidates : ndarray of int of shape (n, n_most)
        The point itself, those nearer than the last neighbour, and those at its distance; of many
        such ties some at equal distances in the order of the points.
    n_inside, n_candidates : ndarray of int of shape (n,)
        The number of candidates without these ties, and with them.
    """
    n, most = candidates.shape
    radius = spacing
    for i in range(n):
        size = list_neighbours(z, z, i, radius, near, lists)
        rim = smallest(lists[0], size, radius, nearest)
        while rim > radius:
            radius *= WIDENING
            size = list_neighbours(z, z, i, radius, near, lists)
            rim = smallest(lists[0], size, radius, nearest)
        candidates[i, 0] = i
        inside, n_tied = np.intp(1), np.intp(0)
        for s in range(size):
            if lists[0, s] < rim:
                candidates[i, inside] = near[s]
                inside += 1
            n_tied += lists[0, s] == rim
        room = min(most - inside, n_tied)
        seen, taken = np.intp(0), np.intp(0)
        for s in range(size):
            if lists[0, s] == rim:
                # At equal distances, from another start for each point, so that all are used.
                turn = (seen + i) % n_tied
                seen += 1
                if (turn + 1) * room // n_tied > turn * room // n_tied:
                    candidates[i, inside + taken] = near[s]
                    taken += 1
        n_inside[i], n_candidates[i] = inside, inside + taken
        radius = max(MARGIN * rim, spacing)


@entry_point
def shuffle(candidates, n_inside, n_candidates, order, uniform, is_used, row, result):
    """Draw a permutation of points among their nearest ones, with few repeats, in place.

    Parameters
    ----------
    candidates, n_inside, n_candidates
        From `shuffle_candidates`.
    order : ndarray of int of shape (n,)
        Random order in which points choose.
    uniform : ndarray of shape (n, k)
        Random numbers from 0 to 1, one for each try of each point.
    is_used : ndarray of bool of shape (n,)
    row : ndarray of int of shape (n_most,)
        Memory.
    result : ndarray of int of shape (n,)
        The point that each point gets the value of.
    """
    n, k = uniform.shape
    for i in range(n):
        is_used[i] = False
    for i in order:
        inside, size = n_inside[i], n_candidates[i]
        for s in range(size):
            row[s] = candidates[i, s]
        tied_left, first_tied = k - inside, inside
        for attempt in range(k):
            # One of the inside ones or of the places of tied ones that are left, each as likely.
            place = uniform[i, attempt] * (inside + tied_left)
            if place < inside:
                at = np.intp(place)
                chosen = row[at]
                row[at] = row[inside - 1]
                inside -= 1
            else:
                at = first_tied + np.intp((place - inside) / tied_left * (size - first_tied))
                at = min(at, size - 1)
                chosen = row[at]
                row[at] = row[first_tied]
                first_tied += 1
                tied_left -= 1
            if not is_used[chosen]:
                break
        is_used[chosen] = True
        result[i] = chosen
