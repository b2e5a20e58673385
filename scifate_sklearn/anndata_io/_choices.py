"""Choices of genes, covariates and targets: from the data, or from an earlier batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._warnings import warn
from ..names import examples
from ..preprocessing import is_constant
from ._chunks import Bools, Floats
from ._covariates import Covariates, check_columns, make_covariates, without_constant
from ._genes import filter_genes
from ._inputs import SciFateMoments
from ._names import Names, are_named, keep_one_of_each
from ._recipe import Recipe


class Choices(Protocol):
    """Choices that depend on whether the cells are added to an earlier batch."""

    @property
    def tf_names(self) -> Iterable[str]:
        """Names of the possible regulators."""
        ...

    @property
    def unit(self) -> float | None:
        """Geometric mean of the totals, the unit of size factors; None for that of these cells."""
        ...

    def keep_columns(
        self, names: Names, shared: NDArray[np.intp], magnitude: Floats, layer: str
    ) -> Bools:
        """Return the columns to keep so that names are unique, as `keep_one_of_each`."""
        ...

    def choose_genes(self, genes: pd.DataFrame, recipe: Recipe, n_cells: int) -> pd.DataFrame:
        """Return the rows of the kept genes, or raise ValueError if genes are missing."""
        ...

    def obs_columns(self, covariates: Any) -> tuple[str, ...]:
        """Return the columns of ``adata.obs`` that become predictors, given the argument."""
        ...

    def choose_covariates(self, candidates: dict[str, Floats], obs: pd.DataFrame) -> Covariates:
        """Return the covariates that become predictors; `obs` is that of the kept cells."""
        ...

    def choose_targets(self, genes: pd.Index, is_finite: Bools, layer: str) -> Bools:
        """Return which kept genes become targets, or raise ValueError if targets are missing."""
        ...


def make_choices(tf_names: Iterable[str] | None, like: SciFateMoments | None) -> Choices:
    """Return the choices of an earlier batch if there is one, otherwise those from the data.

    Raises
    ------
    TypeError
        If `like` is not a SciFateMoments, or if both arguments are None.
    """
    if like is None:
        if tf_names is None:
            raise TypeError(
                "`tf_names` must be a collection of names, got NoneType. Pass the names of the "
                "possible regulators; they are optional only with `like`."
            )
        return NewChoices(tf_names)
    if not isinstance(like, SciFateMoments):
        raise TypeError(f"`like` must be what prepare_moments returns, got {type(like).__name__}.")
    return EarlierChoices(like)


@dataclass(frozen=True)
class NewChoices:
    """Choices from the data: all genes that pass the filter, all finite targets.

    Attributes
    ----------
    tf_names : iterable of str
    """

    tf_names: Iterable[str]
    unit: None = None

    def keep_columns(
        self, names: Names, shared: NDArray[np.intp], magnitude: Floats, layer: str
    ) -> Bools:
        """Return of each name the column with the largest sum; warn of the others."""
        return keep_one_of_each(names, shared, magnitude, layer)

    def choose_genes(self, genes: pd.DataFrame, recipe: Recipe, n_cells: int) -> pd.DataFrame:
        """Return the genes that pass the gene filter."""
        return filter_genes(genes, recipe, n_cells)

    def obs_columns(self, covariates: Any) -> tuple[str, ...]:
        """Return the named columns."""
        return check_columns(covariates)

    def choose_covariates(self, candidates: dict[str, Floats], obs: pd.DataFrame) -> Covariates:
        """Return the covariates that are defined and not constant."""
        varying = {
            name: value
            for name, value in candidates.items()
            if np.isfinite(value).all() and not is_constant(value)
        }
        made, predictors = make_covariates(obs, list(obs.columns))
        return Covariates(made, {**varying, **without_constant(made, predictors)})

    def choose_targets(self, genes: pd.Index, is_finite: Bools, layer: str) -> Bools:
        """Return the finite genes; warn if others are left out, and raise if none is left."""
        if not is_finite.any():
            raise ValueError(
                f"No target is left: each of {is_finite.size} genes has NaN or infinite values in "
                f"layer {layer!r}."
            )
        if not is_finite.all():
            warn(
                f"{np.count_nonzero(~is_finite)} of {is_finite.size} targets were left "
                f"out because layer {layer!r} has NaN or infinite values for them."
            )
        return is_finite


@dataclass(frozen=True)
class EarlierChoices:
    """Choices of an earlier batch, so that the moments of both can be added."""

    batch: SciFateMoments

    @property
    def tf_names(self) -> Iterable[str]:
        """Names of the TFs of the earlier batch."""
        return list(self.batch.genes.index[self.batch.genes["is_tf"]])

    @property
    def unit(self) -> float:
        """Geometric mean of the totals of the earlier batch."""
        return self.batch.unit

    def keep_columns(
        self, names: Names, shared: NDArray[np.intp], magnitude: Floats, layer: str
    ) -> Bools:
        """Return of each name the column of the earlier batch; raise ValueError without it."""
        keep = are_named(names)
        keep[shared] = False
        earlier = self.batch.genes["position"]
        for name in self.batch.genes.index.intersection(pd.Index(names[shared])):
            position = int(earlier[name])
            if position >= names.size or names[position] != name:
                raise ValueError(
                    f"{name!r} is the name of several genes of `adata`, and the one of `like`, "
                    f"column {position}, has another name here. Make the names of the genes "
                    "unique in both batches, or give them in the same order."
                )
            keep[position] = True
        return keep

    def choose_genes(self, genes: pd.DataFrame, recipe: Recipe, n_cells: int) -> pd.DataFrame:
        """Return the genes of the earlier batch in its order; no filter is applied."""
        wanted = self.batch.genes
        missing = wanted.index.difference(genes.index)
        if len(missing):
            raise ValueError(
                f"{len(missing)} of the {len(wanted)} genes of `like` are not among the genes of "
                f"`adata` ({examples(missing)}). Give both batches the same genes, with zeros "
                "where a gene was not measured, or prepare the first batch again with the genes of "
                "both."
            )
        return genes.loc[wanted.index].assign(is_tf=wanted["is_tf"])

    def obs_columns(self, covariates: Any) -> tuple[str, ...]:
        """Return the columns of the earlier batch; raise ValueError if others are named."""
        own, named = [each.column for each in self.batch.covariates], check_columns(covariates)
        if named and list(named) != own:
            raise ValueError(
                f"`covariates` are {list(named)}, but those of `like` are {own}. Leave them out to "
                "take those of `like`, or prepare the first batch again."
            )
        return tuple(own)

    def choose_covariates(self, candidates: dict[str, Floats], obs: pd.DataFrame) -> Covariates:
        """Return the covariates of the earlier batch, with levels that are new in this one."""
        made, predictors = make_covariates(obs, list(obs.columns), self.batch.covariates)
        wanted = {*self.batch.feature_names}
        wanted |= {name for each in made if each.levels for name in each.feature_names}
        both: dict[str, Floats | Bools] = {**candidates, **predictors}
        return Covariates(made, {name: both[name] for name in both if name in wanted})

    def choose_targets(self, genes: pd.Index, is_finite: Bools, layer: str) -> Bools:
        """Return the targets of the earlier batch, or raise if one is not finite."""
        wanted: Bools = genes.isin(self.batch.target_names)
        bad = genes[wanted & ~is_finite]
        if len(bad):
            raise ValueError(
                f"layer {layer!r} has NaN or infinite values for {len(bad)} of the targets of "
                f"`like` ({examples(bad)}). Replace the values, or remove those cells."
            )
        return wanted
