"""Covariates from columns of ``adata.obs``: numbers as they are, one column per level of others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..fitting import missing_labels
from ..names import OBS_PREFIX, examples
from ..preprocessing import X_MAGNITUDES, check_magnitude, is_constant
from ._chunks import Bools, Floats
from ._obs import check_cells, obs_column

# Each level is a predictor of all targets.
MOST_LEVELS = 100
# Whole numbers with so few values may be codes of groups; two values are the same either way.
_CODES = range(3, 21)

Columns: TypeAlias = dict[str, Floats | Bools]


@dataclass(frozen=True)
class ObsCovariate:
    """A column of ``adata.obs`` that became predictors.

    Attributes
    ----------
    column : str
        Name of the column.
    levels : tuple of str
        Levels of a category; the cells of the first have 0 in the columns of all others. Empty for
        numbers.
    """

    column: str
    levels: tuple[str, ...] = ()

    @property
    def feature_names(self) -> list[str]:
        """Names of the predictors: one for numbers, one for each level but the first."""
        name = OBS_PREFIX + self.column
        return [f"{name}[{level}]" for level in self.levels[1:]] if self.levels else [name]


@dataclass(frozen=True)
class _Column:
    """A column of ``adata.obs``, and the argument that names it."""

    argument: str
    name: str
    series: "pd.Series[Any]"

    @classmethod
    def from_obs(cls, obs: pd.DataFrame, name: str, argument: str) -> Self:
        return cls(argument, name, obs_column(obs, name, argument))

    def about(self, found: str) -> str:
        """Return the start of a message."""
        return f"`{self.argument}`: column {self.name!r} of adata.obs {found}"

    def check(self, bad: Bools, found: str) -> None:
        """Raise ValueError if the values of some cells cannot be used."""
        advice = (
            "Give every cell a value, leave the cells out, or leave the column out of "
            f"`{self.argument}`."
        )
        check_cells(bad, self.series.index, self.about(found), advice)

    def changed(self, before: str, now: str) -> str:
        """Return what is wrong with a column of another type than in the earlier batch."""
        return self.about(
            f"held {before} in the moments given as `like`, and holds {now} now. "
        ) + ("Give the column the same type in both batches.")


@dataclass(frozen=True)
class Covariates:
    """Predictors that are not TFs.

    Attributes
    ----------
    from_obs : sequence of ObsCovariate
    predictors : dict of ndarray of shape (n_kept_cells,)
        All of them by name, those from ``adata.obs`` last.
    """

    from_obs: Sequence[ObsCovariate]
    predictors: Columns


def check_columns(columns: Any, argument: str = "covariates") -> tuple[str, ...]:
    """Return the names of columns as given by the user, or raise TypeError or ValueError."""
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise TypeError(
            f"`{argument}` must be a list of names of columns of adata.obs, such as ['batch'], got "
            f"{columns!r}."
        )
    names = tuple(columns)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"`{argument}` must be names of columns, got {examples(names)}.")
    repeated = _repeated(names)
    if repeated:
        raise ValueError(f"`{argument}` names {examples(repeated)} more than once.")
    return names


def make_covariates(
    obs: pd.DataFrame,
    columns: Sequence[str],
    earlier: Sequence[ObsCovariate] | None = None,
    argument: str = "covariates",
) -> tuple[list[ObsCovariate], Columns]:
    """Return the predictors that columns of ``adata.obs`` become.

    Parameters
    ----------
    obs : DataFrame of n_kept_cells rows
        Of the kept cells.
    columns : sequence of str
    earlier : sequence of ObsCovariate, default=None
        Of an earlier batch: its kinds and levels are used, and levels that it lacks come last.
    argument : str, default="covariates"
        The argument that names the columns, for messages.

    Returns
    -------
    covariates : list of ObsCovariate
    predictors : dict of ndarray of shape (n_kept_cells,)
        Numbers, not z-scored, or whether a cell has a level. Constant ones are included.

    Raises
    ------
    TypeError
        If a column holds something else than numbers, text or booleans.
    ValueError
        If a column is absent, a value missing, or there are too many levels; or if it held numbers
        in the earlier batch and holds others now, or the reverse.
    """
    known = {covariate.column: covariate for covariate in earlier or ()}
    covariates: list[ObsCovariate] = []
    made: list[Columns] = []
    for name in columns:
        column = _Column.from_obs(obs, name, argument)
        column.check(missing_labels(column.series), "is missing")
        if _is_numbers(column):
            covariate, predictors = _from_numbers(column, known.get(name))
        else:
            covariate, predictors = _from_levels(column, known.get(name))
        covariates.append(covariate)
        made.append(predictors)
    _check_distinct([feature for own in made for feature in own], argument)
    return covariates, {feature: values for own in made for feature, values in own.items()}


def merge_covariates(
    one: Sequence[ObsCovariate], two: Sequence[ObsCovariate]
) -> list[ObsCovariate]:
    """Return the covariates of the cells of two batches, with the levels of both.

    Raises
    ------
    ValueError
        If the batches have other columns, or columns with another first level.
    """
    ours, theirs = ([(each.column, each.levels[:1]) for each in own] for own in (one, two))
    if ours != theirs:
        raise ValueError(
            f"The two batches have different covariates (columns and first levels: {ours} and "
            f"{theirs}), so they cannot be added. Prepare the second with "
            "prepare_moments(..., like=first)."
        )
    return [
        ObsCovariate(a.column, (*a.levels, *(level for level in b.levels if level not in a.levels)))
        for a, b in zip(one, two, strict=True)
    ]


def covariates_to_state(covariates: Sequence[ObsCovariate]) -> dict[str, NDArray[Any]]:
    """Return covariates as arrays for a file, by name; none without covariates."""
    if not covariates:
        return {}
    levels = [level for each in covariates for level in each.levels]
    return {
        "columns": np.array([each.column for each in covariates], np.str_),
        "n_levels": np.array([len(each.levels) for each in covariates], np.int64),
        "levels": np.array(levels, np.str_),
    }


def covariates_from_state(
    state: Mapping[str, NDArray[Any]], feature_names: NDArray[np.object_] | None
) -> tuple[ObsCovariate, ...]:
    """Return the covariates that `covariates_to_state` was given.

    Raises
    ------
    KeyError, ValueError
        If the arrays are others, or the predictors from ``adata.obs`` are not those of the
        covariates.
    """
    covariates = _read_covariates(state) if state else ()
    names = [] if feature_names is None else list(feature_names)
    expected = [name for each in covariates for name in each.feature_names]
    # Numbers that are the same in all cells were left out.
    required = {name for each in covariates if each.levels for name in each.feature_names}
    found = [name for name in names if name.startswith(OBS_PREFIX)]
    kept = [name for name in expected if name in found or name in required]
    if found != kept or names[len(names) - len(found) :] != found:
        raise ValueError("its predictors from adata.obs are not those of the covariates")
    return covariates


def _read_covariates(state: Mapping[str, NDArray[Any]]) -> tuple[ObsCovariate, ...]:
    columns, n_levels, levels = (state[name] for name in ("columns", "n_levels", "levels"))
    kinds = (columns.dtype.kind, n_levels.dtype.kind, levels.dtype.kind)
    is_flat = columns.ndim == levels.ndim == 1 and n_levels.shape == columns.shape
    if kinds != ("U", "i", "U") or not is_flat or (n_levels < 0).any():
        raise ValueError("the covariates are not names and their levels")
    if n_levels.sum() != levels.size:
        raise ValueError("the covariates have another number of levels")
    of_column = np.split(levels, np.cumsum(n_levels)[:-1])
    return tuple(
        ObsCovariate(str(column), tuple(map(str, own)))
        for column, own in zip(columns, of_column, strict=True)
    )


def without_constant(
    covariates: Sequence[ObsCovariate],
    predictors: Columns,
    argument: str = "covariates",
    n_others: int = 0,
) -> Columns:
    """Return the predictors that are not constant; warn of columns that are.

    Parameters
    ----------
    covariates, predictors :
        From `make_covariates`.
    argument : str, default="covariates"
        The argument that names the columns, for the warning.
    n_others : int, default=0
        How many others the argument names.

    Warns
    -----
    UserWarning
        If a column of ``adata.obs`` holds the same value in all kept cells.
    """
    constant = [each.column for each in covariates if _is_constant(each, predictors)]
    if constant:
        warn(
            f"{len(constant)} of {len(covariates) + n_others} `{argument}` have the same value in "
            f"all kept cells and are left out ({examples(constant)})."
        )
    left_out = {f for each in covariates if each.column in constant for f in each.feature_names}
    return {name: values for name, values in predictors.items() if name not in left_out}


def _is_constant(covariate: ObsCovariate, predictors: Columns) -> bool:
    if covariate.levels:
        return len(covariate.levels) == 1
    return bool(is_constant(predictors[covariate.feature_names[0]]))


def _is_numbers(column: _Column) -> bool:
    """Return whether a column holds numbers, or False for levels; raise TypeError for others."""
    if isinstance(column.series.dtype, pd.CategoricalDtype):
        return False
    kind = pd.api.types.infer_dtype(column.series, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return True
    if kind in ("string", "boolean"):
        return False
    raise TypeError(
        column.about(f"holds {kind} values; covariates are numbers, text, booleans or")
        + " categories. Convert the column, for example with `.astype(str)`."
    )


def _from_numbers(column: _Column, earlier: ObsCovariate | None) -> tuple[ObsCovariate, Columns]:
    if earlier is not None and earlier.levels:
        raise ValueError(column.changed("levels", "numbers"))
    values = column.series.to_numpy(np.float64)
    column.check(~np.isfinite(values), "is infinite")
    check_magnitude(values[:, None], column.about("as a matrix"), *X_MAGNITUDES)
    if earlier is None:
        _warn_of_codes(column, np.unique(values))
    covariate = ObsCovariate(column.name)
    return covariate, {covariate.feature_names[0]: values}


def _warn_of_codes(column: _Column, distinct: NDArray[np.float64]) -> None:
    if distinct.size in _CODES and (distinct == np.round(distinct)).all():
        warn(
            column.about(
                f"holds {distinct.size} different whole numbers, and is used as a number. "
            )
            + "If they stand for groups, make the column a category, with .astype('category')."
        )


def _from_levels(column: _Column, earlier: ObsCovariate | None) -> tuple[ObsCovariate, Columns]:
    if earlier is not None and not earlier.levels:
        raise ValueError(column.changed("numbers", "levels"))
    codes, found = _factorized(column.series)
    texts = [str(level) for level in found]
    repeated = _repeated(texts)
    if repeated:
        raise ValueError(column.about(f"has levels that read the same: {examples(repeated)}."))
    known = () if earlier is None else earlier.levels
    levels = (*known, *(text for text in texts if text not in known))
    _check_n_levels(column, len(levels), earlier)
    position = {text: code for code, text in enumerate(texts)}
    covariate = ObsCovariate(column.name, levels)
    of_level = zip(covariate.feature_names, levels[1:], strict=True)
    return covariate, {feature: codes == position.get(level, -1) for feature, level in of_level}


def _factorized(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], list[Any]]:
    """Return the code of each cell, and the levels: in the order of the categories, or sorted."""
    categories = column.astype("category").cat.remove_unused_categories()
    codes: Any = categories.cat.codes.to_numpy(np.intp)
    return codes, list(categories.cat.categories)


def _check_n_levels(column: _Column, n_levels: int, earlier: ObsCovariate | None) -> None:
    n_cells = len(column.series)
    most = MOST_LEVELS if earlier is not None else min(MOST_LEVELS, max(2, n_cells // 2))
    if n_levels > most:
        raise ValueError(
            column.about(
                f"has {n_levels} levels in {n_cells} cells that pass the filters, more than "
            )
            + f"{most}: it may hold names of cells, or numbers as text. Give a column of few "
            "groups, or convert it to numbers."
        )


def _repeated(texts: Iterable[str]) -> list[str]:
    return sorted(text for text, count in Counter(texts).items() if count > 1)


def _check_distinct(names: Sequence[str], argument: str) -> None:
    repeated = _repeated(names)
    if repeated:
        raise ValueError(
            f"Two columns of `{argument}` give predictors of the same name ({examples(repeated)}); "
            "rename a column of adata.obs."
        )
