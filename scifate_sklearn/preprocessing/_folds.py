"""Cross-validation folds identical to R's.

The published pipeline draws its folds with ``set.seed(123456); sample(rep(seq(10), length = n))``.
Identical folds give the same cross-validation curve, and therefore the same λ and links.
"""

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, GroupKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from .._warnings import warn
from ._r_sample import LARGEST_SEED, SAMPLE_KINDS, r_sample


class RSampleKFold(BaseCrossValidator):
    """K-fold splitter that reproduces R's ``sample(rep(seq(n_splits), length = n))``.

    The folds are those of R after ``set.seed(seed)``.

    Parameters
    ----------
    n_splits : int, default=10
        Number of folds, at least 2.
    seed : int, default=123456
        R's seed, an integer from -(2³¹ - 1) to 2³¹ - 1.
    sample_kind : {"Rejection", "Rounding"}, default="Rejection"
        R's ``RNGkind(sample.kind=)``: "Rejection" is the default since R 3.6, "Rounding" is the
        default of earlier versions.

    Raises
    ------
    TypeError
        If `n_splits` or `seed` is not an integer.
    ValueError
        If `n_splits` < 2, `seed` is outside R's integers or `sample_kind` is unknown.

    Notes
    -----
    Fold sizes differ by at most one cell. Groups and targets are ignored, so the splitter requests
    no metadata. Each call starts from the seed, so repeated calls return the same folds.

    Examples
    --------
    >>> RSampleKFold(n_splits=3, seed=0).fold_ids(7)
    array([3, 1, 1, 3, 1, 2, 2])
    """

    def __init__(
        self, n_splits: int = 10, seed: int = 123456, sample_kind: str = "Rejection"
    ) -> None:
        self.n_splits = _check_integer("n_splits", n_splits)
        self.seed = _check_integer("seed", seed)
        self.sample_kind = sample_kind
        if self.n_splits < 2:
            raise ValueError(
                f"n_splits = {self.n_splits} is too small; cross-validation needs at least 2 folds."
            )
        if abs(self.seed) > LARGEST_SEED:
            raise ValueError(
                f"seed = {self.seed} is not an integer in R; use one from {-LARGEST_SEED} to "
                f"{LARGEST_SEED}."
            )
        if sample_kind not in SAMPLE_KINDS:
            raise ValueError(
                f"sample_kind must be one of {', '.join(SAMPLE_KINDS)}, got {sample_kind!r}."
            )

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored; present for compatibility with scikit-learn.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the training and test cells of each fold, in R's order of folds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only the number of rows is used.
        y, groups : object
            Ignored; a warning is issued if `groups` is not None.

        Yields
        ------
        train, test : ndarray of int
            Row numbers from 0, ascending.

        Raises
        ------
        ValueError
            If there are fewer samples than folds.
        """
        if groups is not None:
            warn(
                "RSampleKFold ignores `groups`: cells of a group may be split between folds. Use a "
                "group-aware splitter such as GroupKFold to keep groups together."
            )
        folds: Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]] = super().split(X, y, groups)
        return folds

    def fold_ids(self, n_samples: int) -> NDArray[np.int64]:
        """Return the fold of each sample, counted from 1 as in R.

        Parameters
        ----------
        n_samples : int
            Number of samples (cells).

        Returns
        -------
        ndarray of shape (n_samples,)
            Fold of each sample, 1 to `n_splits`.

        Raises
        ------
        ValueError
            If there are fewer samples than folds.
        """
        if n_samples < self.n_splits:
            raise ValueError(
                f"{n_samples} samples are too few for `n_splits` = {self.n_splits} folds; choose "
                "fewer folds."
            )
        labels = np.resize(np.arange(1, self.n_splits + 1), n_samples)
        return r_sample(labels, self.seed, self.sample_kind)

    def _iter_test_masks(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[NDArray[np.bool_]]:
        folds = self.fold_ids(_num_samples(X))
        for fold in range(1, self.n_splits + 1):
            yield folds == fold


def _make_folds(
    cv: Any,
    random_state: Any,
    X: Any,
    y: Any = None,
    groups: ArrayLike | None = None,
) -> Iterable[tuple[ArrayLike, ArrayLike]]:
    """Return the training and test rows of each fold; an int as `cv` means `RSampleKFold`."""
    if isinstance(cv, type):
        raise TypeError(f"`cv` is the class {cv.__name__}; pass an instance of the class.")
    if isinstance(cv, Integral):
        seed = random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
        cv = RSampleKFold(int(cv), seed=int(seed))
    if isinstance(cv, str) or not hasattr(cv, "split"):
        folds: Iterable[tuple[ArrayLike, ArrayLike]] = cv
        return folds
    return cv.split(X, y, groups)


def make_repeated_folds(
    cv: Any,
    random_state: Any,
    n_repeats: int,
    X: Any,
    y: Any = None,
    groups: ArrayLike | None = None,
) -> list[Iterable[tuple[ArrayLike, ArrayLike]]]:
    """Return the training and test rows of each fold, of each repeat.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        An int stands for ``RSampleKFold(cv, seed=random_state + r)`` in repeat r, counted from 0;
        an iterable is returned as is.
    random_state : int, RandomState or None
        Seed of the folds if `cv` is an int. Seeds are drawn from it if it is not an int.
    n_repeats : int
        1 unless `cv` is an int.
    X, y, groups : object
        Passed to the splitter.

    Returns
    -------
    list of iterables of (train, test)

    Raises
    ------
    TypeError
        If `cv` is a class.
    ValueError
        If `n_repeats` is above 1 and `cv` not an int.
    """
    if n_repeats == 1:
        return [_make_folds(cv, random_state, X, y, groups)]
    if not isinstance(cv, Integral):
        raise ValueError(
            f"`n_repeats`={n_repeats} requires a number of folds as `cv`, got "
            f"{type(cv).__name__}. Give a number, or a splitter that repeats itself, such as "
            "RepeatedKFold, and n_repeats=1."
        )
    if not isinstance(random_state, Integral):
        rng = check_random_state(random_state)
        return [_make_folds(cv, rng, X, y, groups) for _ in range(n_repeats)]
    return [_make_folds(cv, random_state + r, X, y, groups) for r in range(n_repeats)]


def make_group_folds(
    n_splits: int, random_state: Any, n_repeats: int, groups: NDArray[Any]
) -> list[Iterable[tuple[ArrayLike, ArrayLike]]]:
    """Return folds that keep whole groups together, of each repeat.

    Parameters
    ----------
    n_splits : int
    random_state : int, RandomState or None
        Seed of the repeats.
    n_repeats : int
        Of a single cross-validation the folds are those of scikit-learn's ``GroupKFold(n_splits)``,
        which balances the numbers of rows. Repeat r of several, counted from 0, has those of
        ``GroupKFold(n_splits, shuffle=True, random_state=random_state + r)``; seeds are drawn from
        `random_state` if it is not an int.
    groups : ndarray of shape (n_rows,)

    Returns
    -------
    list of iterables of (train, test)

    Raises
    ------
    ValueError
        If there are fewer groups than folds.
    """
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise ValueError(
            f"`groups` has {n_groups} group(s) in the cells that pass the filters, fewer than the "
            f"{n_splits} folds of the cross-validation, which keep whole groups together. Set `cv` "
            "to at most the number of groups (from 2), or name a column of more groups."
        )
    if n_repeats == 1:
        splitters = [GroupKFold(n_splits)]
    else:
        seeds = _seeds(random_state, n_repeats)
        splitters = [GroupKFold(n_splits, shuffle=True, random_state=seed) for seed in seeds]
    return [splitter.split(groups, groups=groups) for splitter in splitters]


def _seeds(random_state: Any, n_repeats: int) -> list[int]:
    if isinstance(random_state, Integral):
        return [int(random_state) + r for r in range(n_repeats)]
    rng = check_random_state(random_state)
    return [int(rng.randint(np.iinfo(np.int32).max)) for _ in range(n_repeats)]


def _check_integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r} ({type(value).__name__}).")
    return int(value)
