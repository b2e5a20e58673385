"""MotifRankings: ranks of genes under motifs, read by column from a cisTarget database."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._state import VersionedState
from ...files import AdvisedError, prefix_errors
from ...names import are_missing, as_names, examples
from ._feather import ROW_COLUMNS, read_columns, read_layout

Ranks = NDArray[np.integer[Any]]
Databases: TypeAlias = "tuple[MotifRankings, ...]"
_Paths: TypeAlias = list[Any] | tuple[Any, ...]

_EXTENSIONS = (".feather", ".rankings", ".genes_vs_motifs", ".regions_vs_motifs")


@dataclass(frozen=True, eq=False, repr=False)
class MotifRankings(VersionedState):
    """Ranks of genes under motifs: 0 is the gene whose promoter matches the motif best.

    Create one with `read` or `from_table`. Instances are immutable; they can be pickled (those of a
    file as its path), and deep copies are the same object.

    Parameters
    ----------
    motifs : array-like of str, shape (n_motifs,)
        Unique names of the motifs (or tracks).
    genes : array-like of str, shape (n_genes,)
        Unique names of the ranked genes (or regions).
    source : mapping of str to ndarray of shape (n_motifs,), or path-like
        The ranks of each gene, or the feather file that holds them.
    n_ranked : int
        Number of genes that were ranked; ranks are smaller.

    Raises
    ------
    ValueError
        If names are missing or repeat, or there are fewer than two motifs or no gene.

    Notes
    -----
    Ranks are counted from 0, as in cisTarget's files. RcisTarget and ctxcore use the same numbers,
    so that "ranked below T" means the T best genes. Ranks from 1 to n raise an error if the rank n
    occurs, because all results would be off by one; subtract 1.

    Examples
    --------
    >>> import pandas as pd
    >>> ranks = pd.DataFrame({"CDK4": [0, 2], "NCL": [1, 0], "ACTB": [2, 1]}, index=["m1", "m2"])
    >>> MotifRankings.from_table(ranks)
    MotifRankings(2 motifs × 3 genes)
    """

    motifs: NDArray[np.object_]
    genes: NDArray[np.object_]
    source: Mapping[str, Ranks] | str | os.PathLike[str]
    n_ranked: int

    def __post_init__(self) -> None:
        for field, kind in (("motifs", "motif"), ("genes", "gene")):
            names = _as_unique_names(getattr(self, field), kind)
            names.flags.writeable = False
            object.__setattr__(self, field, names)
        if len(self.motifs) < 2 or not len(self.genes):
            raise ValueError(
                f"a ranking database of {len(self.motifs)} motif(s) × {len(self.genes)} gene(s): "
                "motifs are compared with each other, so at least two are required."
            )
        if self.n_ranked < len(self.genes):
            raise ValueError(
                f"`n_ranked` = {self.n_ranked} is less than the {len(self.genes):,} ranked genes."
            )

    def __repr__(self) -> str:
        return f"MotifRankings({len(self.motifs):,} motifs × {len(self.genes):,} genes)"

    @property
    def name(self) -> str:
        """Name of the file without its extensions; "" for rankings in memory."""
        if isinstance(self.source, Mapping):
            return ""
        name = Path(self.source).name
        for extension in _EXTENSIONS:
            name = name.removesuffix(extension)
        return name

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Instances are immutable, and scikit-learn's clone deep-copies every parameter per fit.
        return self

    @classmethod
    def from_table(cls, table: pd.DataFrame, n_ranked: int | None = None) -> Self:
        """Create rankings from a table.

        Parameters
        ----------
        table : DataFrame of shape (n_motifs, n_genes)
            Ranks from 0, one row per motif, one column per gene. The motifs' names are the index,
            or a column called ``motifs``, ``tracks`` or ``features``.
        n_ranked : int, optional
            Number of genes that were ranked, if the table holds only some of them. By default all
            are in the table.

        Returns
        -------
        MotifRankings

        Raises
        ------
        TypeError
            If `table` is not a DataFrame.
        ValueError
            If a name is missing or repeats, or a rank is not an integer from 0 to ``n_ranked - 1``.
        """
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                "`table` must be a pandas DataFrame, motifs × genes, got "
                f"{type(table).__name__}. Files are for `MotifRankings.read`."
            )
        genes = _as_unique_names(table.columns, "column")
        named = [name for name in ROW_COLUMNS if name in _text_columns(table)]
        motifs = table[named[0]] if named else table.index
        table = table.drop(columns=named[:1])
        genes = genes[~np.isin(genes, named[:1])]
        n_ranked = len(genes) if n_ranked is None else n_ranked
        # A locked copy, because clones share it.
        ranks = np.array(_whole_numbers(table).T, order="C")
        ranks.flags.writeable = False
        columns = dict(zip(genes, ranks, strict=True))
        if not len(table):
            raise ValueError("`table` has no row; it requires one per motif.")
        _check_range(columns, n_ranked, "`table`")
        return cls(_as_unique_names(motifs, "motif"), genes, columns, n_ranked)

    @overload
    @classmethod
    def read(cls, path: str | os.PathLike[str], n_ranked: int | None = None) -> Self: ...

    @overload
    @classmethod
    def read(cls, path: _Paths, n_ranked: int | None = None) -> tuple[Self, ...]: ...

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str] | _Paths,
        n_ranked: int | None = None,
    ) -> Self | tuple[Self, ...]:
        """Open a cisTarget ranking database, or several; the ranks are read by `columns`.

        Parameters
        ----------
        path : path-like, or list or tuple of path-like
            A feather file, version 1 or 2, with one row per motif and one column per gene, and the
            motifs' names in a column called ``motifs``, ``tracks`` or ``features``; or several such
            files, as for the regions of 500 bp and of 10 kb around the start of transcription.
        n_ranked : int, optional
            Number of genes that were ranked, if the file holds only some of them.

        Returns
        -------
        MotifRankings or tuple of MotifRankings
            One for each path, for `MotifLinkFilter`.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        FileNotFoundError, ValueError
            If the file is missing, damaged or not such a database (the message names the path).
        """
        if not isinstance(path, str | os.PathLike):
            return tuple(cls.read(each, n_ranked) for each in path)
        motifs, genes = read_layout(path)
        with prefix_errors(path):
            return cls(
                _as_unique_names(motifs, "motif"),
                _as_unique_names(genes, "gene"),
                Path(path),
                len(genes) if n_ranked is None else n_ranked,
            )

    def columns(self, genes: Iterable[str]) -> dict[str, Ranks]:
        """Return the ranks of some genes; of a file, only these are read.

        Parameters
        ----------
        genes : iterable of str
            Names of ranked genes.

        Returns
        -------
        dict of str to ndarray of shape (n_motifs,)
            The ranks of each gene, from 0, under all motifs.

        Raises
        ------
        ImportError, FileNotFoundError
            If the file can no longer be opened.
        ValueError
            If a gene is not ranked, a rank is not an integer from 0 to ``n_ranked - 1``, or the
            file was replaced by one of other motifs or genes.
        """
        wanted = list(dict.fromkeys(map(str, genes)))  # pyarrow does not accept NumPy's strings
        unknown = set(wanted).difference(self.genes)
        if unknown:
            raise ValueError(f"`genes` not in the ranking database: {examples(unknown)}.")
        if not wanted:
            return {}
        if isinstance(self.source, Mapping):
            return {gene: self.source[gene] for gene in wanted}
        self._check_same_file(self.source)
        columns = {
            gene: _as_whole(column, f"{self.source}: column {gene!r}")
            for gene, column in read_columns(self.source, wanted).items()
        }
        _check_range(columns, self.n_ranked, str(self.source))
        return columns

    def _check_same_file(self, path: str | os.PathLike[str]) -> None:
        """Raise ValueError if the file has other motifs or genes than when it was opened."""
        motifs, genes = read_layout(path)
        for names, found in ((self.motifs, motifs), (self.genes, genes)):
            if not np.array_equal(names, as_names(found)):
                raise ValueError(
                    f"{path} is not the file that was opened: it has other motifs or genes, or in "
                    "another order. Restore it, or open it again with MotifRankings.read."
                )


def as_rankings(rankings: object) -> MotifRankings:
    """Return rankings, or create them from a table or a path."""
    if isinstance(rankings, MotifRankings):
        return rankings
    if isinstance(rankings, str | os.PathLike):
        return MotifRankings.read(rankings)
    return MotifRankings.from_table(rankings)  # type: ignore[arg-type]  # checked there


def as_databases(rankings: object) -> Databases:
    """Return the rankings of one or of several databases.

    Raises
    ------
    ValueError
        If there is none, or two have the same name.
    """
    if not isinstance(rankings, list | tuple):
        return (as_rankings(rankings),)
    databases = tuple(map(as_rankings, rankings))
    names = [each.name for each in databases if each.name]
    if not databases or len(set(names)) < len(names):
        twice = {name for name in names if names.count(name) > 1}
        found = f"the name {examples(twice)} twice" if databases else "an empty list"
        raise ValueError(
            f"`rankings` must hold databases of different names, got {found}. Leave out a repeated "
            "one, or rename its file."
        )
    return databases


def _as_unique_names(names: Iterable[Any], kind: str) -> NDArray[np.object_]:
    given: Collection[Any] = list(names)
    as_text = as_names(given)
    # Words such as "nan" are names of genes, each of which occurs once.
    lacks_name = are_missing(given, allow_words=True)
    if lacks_name.any():
        place = int(lacks_name.argmax())
        raise ValueError(
            f"a {kind} of the ranking database has no name (number {place + 1:,}, "
            f"{as_text[place]!r}); remove it, or give it a name."
        )
    repeated = [name for name, count in Counter(as_text).items() if count > 1]
    if repeated:
        raise ValueError(
            f"a {kind} of the ranking database occurs more than once: {examples(repeated)}. "
            "Remove all but one."
        )
    return as_text


def _text_columns(table: pd.DataFrame) -> list[Any]:
    is_number = [pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes]
    return list(table.columns[~np.array(is_number, dtype=np.bool_)])


def _whole_numbers(table: pd.DataFrame) -> Ranks:
    text = _text_columns(table)
    if text:
        raise ValueError(
            f"`table` must hold ranks, but column {text[0]!r} holds {table[text[0]].dtype}. "
            f"Put the motifs' names into the index or a column called {ROW_COLUMNS[0]!r}."
        )
    values = table.to_numpy()
    if values.dtype == object:  # pandas' nullable integers
        values = table.to_numpy(np.float64, na_value=np.nan)
    return _as_whole(values, "`table`")


def _as_whole(values: NDArray[Any], source: str) -> Ranks:
    """Return numbers as integers; raise an error if that would change one."""
    if values.dtype.kind in "iu":
        return values
    if values.dtype.kind == "f":
        is_wrong = ~np.isfinite(values) | (values != np.floor(values))
        if not is_wrong.any():
            return values.astype(np.int64)
        found = f"for example {values[is_wrong].flat[0]}"
    else:
        found = f"got {values.dtype}"
    raise ValueError(
        f"{source} must hold ranks, which are integers, {found}. Databases of scores cannot "
        "be used; get the one called 'rankings'."
    )


def _check_range(columns: Mapping[str, Ranks], n_ranked: int, source: str) -> None:
    for gene, ranks in columns.items():
        low, high = int(ranks.min()), int(ranks.max())
        if low < 0 or high >= n_ranked:
            raise AdvisedError(
                f"{source}: ranks of {gene!r} run from {low:,} to {high:,}, but {n_ranked:,} genes "
                f"have ranks from 0 to {n_ranked - 1:,}. If they are counted from 1, subtract 1.",
                "If only some of the ranked genes are given, pass their number as `n_ranked`. A "
                "table must have motifs in rows.",
                "Give the database of all ranked genes.",
            )
