"""Arguments that `prepare_anndata` and `prepare_moments` share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ._names import GeneSymbols

_CONTENTS = ("counts", "values")

# The arguments that say what the layers hold, in the order of the layers.
KINDS = ("response", "regulators")


@dataclass(frozen=True)
class Arguments:
    """Names of the user's arguments, for messages.

    Attributes
    ----------
    layers : str
        The argument that names the layers.
    kinds : (str, str)
        The arguments that say what the first and the second layer of a recipe hold; empty where
        that is fixed.
    covariates : str
        The argument that names columns of ``adata.obs``.
    advice : str
        What to do where a layer of counts holds other numbers; the beginning of a sentence.
    """

    layers: str = "nt_layers"
    kinds: tuple[str, str] = KINDS
    covariates: str = "covariates"
    advice: str = "Pass raw counts"


@dataclass(frozen=True)
class Recipe:
    """Layers, their kinds, filters and the source of gene names.

    Attributes
    ----------
    nt_layers : (str, str)
        Layer of the response ("new") and layer of the regulators ("total").
    gene_filter_rate, cell_filter_umi : float
        Thresholds of the gene filter and of the cell filter.
    response, regulators : {"counts", "values"}
        Kinds of the two layers.
    gene_symbols : str, mapping, DataFrame, path-like or None
        Column of ``adata.var`` with gene names; None for ``adata.var_names``; or a table of the
        symbols of these, or its file.
    covariates : tuple of str, default=()
        Columns of ``adata.obs`` that become predictors.
    detection_rate : float, str or None, default=None
        Share of the new RNA that is recognised as new, or the column of ``adata.obs`` with it.
    arguments : Arguments
        What the user calls them; by default as `prepare_anndata`.

    Raises
    ------
    ValueError
        If an argument is invalid. Whether the layers and the column exist is checked when they are
        read.
    """

    nt_layers: Sequence[str]
    gene_filter_rate: float
    cell_filter_umi: float
    response: str
    regulators: str
    gene_symbols: GeneSymbols
    covariates: tuple[str, ...] = ()
    detection_rate: float | str | None = None
    arguments: Arguments = Arguments()

    def __post_init__(self) -> None:
        _check_filters(self.gene_filter_rate, self.cell_filter_umi)
        for argument in KINDS:
            _check_contents(argument, getattr(self, argument))
        _check_layer_names(self.nt_layers)
        self._check_detection_rate()

    @property
    def new_layer(self) -> str:
        """Name of the layer of the response."""
        return self.nt_layers[0]

    @property
    def total_layer(self) -> str:
        """Name of the layer of the regulators."""
        return self.nt_layers[1]

    @property
    def new_is_counts(self) -> bool:
        """Whether the layer of the response holds counts."""
        return self.response == "counts"

    @property
    def total_is_counts(self) -> bool:
        """Whether the layer of the regulators holds counts."""
        return self.regulators == "counts"

    @property
    def reads_obs(self) -> bool:
        """Whether columns of ``adata.obs`` are named."""
        return bool(self.covariates) or isinstance(self.detection_rate, str)

    def _check_detection_rate(self) -> None:
        rate = self.detection_rate
        if rate is None:
            return
        if not isinstance(rate, str) and not (_is_number(rate) and 0 < rate <= 1):
            raise ValueError(
                "`detection_rate` must be a number above 0, at most 1, or the name of a column of "
                f"adata.obs, got {rate!r}."
            )
        for argument in KINDS:
            if getattr(self, argument) != "counts":
                raise ValueError(
                    f"`detection_rate` corrects counts, but `{argument}='values'` is given. Leave "
                    "one of them out."
                )


def _check_filters(rate: Any, least: Any) -> None:
    if not _is_number(rate) or not 0 <= rate < 1:
        raise ValueError(f"`gene_filter_rate` must be a fraction from 0 to below 1, got {rate!r}.")
    if not (_is_number(least) and least >= 0 and _is_finite(least)):
        raise ValueError(f"`cell_filter_UMI` must be a number of counts from 0, got {least!r}.")


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond double precision
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def _check_contents(argument: str, contents: Any) -> None:
    if not isinstance(contents, str) or contents not in _CONTENTS:
        raise ValueError(f"`{argument}` must be 'counts' or 'values', got {contents!r}.")


def _check_layer_names(nt_layers: Any) -> None:
    # Sets have no order, and a string would be split into its letters.
    names = list(nt_layers) if isinstance(nt_layers, list | tuple | np.ndarray) else []
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`nt_layers` must be two layer names, that of the new and that of the total RNA, such "
            f"as ('new', 'total'), or 'auto'; got {nt_layers!r}."
        )
