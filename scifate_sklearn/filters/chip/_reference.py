"""BindingReference: the pairs of TF and gene tested for binding, and those with a peak."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..._state import versioned_call
from ..._warnings import warn
from ...files import AdvisedError, prefix_errors
from ...names import (
    Cause,
    RowUse,
    Rule,
    as_names,
    name_codes,
    plan_renaming,
    rename_rows,
    require_overlap,
)
from ._layouts import EvidenceTable
from ._reading import GeneSets, holds_gene_sets, read_evidence
from ._signs import Direction

UNTESTED, NO_PEAK, PEAK = 0, 1, 2
# All 3,000 human TFs and 60,000 genes are 1.8e8 pairs.
_MAX_PAIRS = 5 * 10**8
# Reasons why rows are not used.
_OUTSIDE, _REPEATED = "target not in `genes`", "repeated pair"

_Fields: TypeAlias = tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.int8], RowUse]


@dataclass(frozen=True, eq=False, repr=False)
class BindingReference:
    """ChIP-seq evidence: per TF, the genes tested for binding and those with a peak.

    Create one with `from_table`, `from_edges`, `from_gmt` or `read`. Instances are immutable; they
    can be pickled, and deep copies are the same object.

    Parameters
    ----------
    tfs : array-like of str, shape (n_tfs,)
        Unique names of the TFs.
    genes : array-like of str, shape (n_genes,)
        Unique names of the gene universe.
    status : array-like of int8, shape (n_tfs, n_genes)
        0: the pair was not tested, 1: tested without a peak, 2: with a peak. One byte per pair: 800
        TFs × 20,000 genes take 16 MB.
    rows : RowUse or None, default=None
        Number of rows of the table or file, how many of them are used, and why others are not:
        ``rows.n_rows``, ``rows.n_used``, ``rows.unused``, and ``rows.notes`` on changed names. None
        if the reference was not made from a table.

    Raises
    ------
    ValueError
        If names repeat, `status` has another shape or other values, or the tested pairs are of one
        class only (all with or all without a peak), which cannot distinguish links.

    Notes
    -----
    Names are compared exactly. If data and reference differ in case, as mouse data (``Pax6``) and
    Enrichr's upper-case mouse sets (``PAX6``) do, in Ensembl versions, or by aliases, the parameter
    `harmonize` of `EncodeLinkFilter` renames the reference. `read_gene_table` reads tables of old
    symbols and of orthologs for it; for other renamings use `map_names`.

    Examples
    --------
    >>> import pandas as pd
    >>> edges = pd.DataFrame({"TF": ["MYC", "MYC", "E2F1"], "target": ["CDK4", "NCL", "CDK4"]})
    >>> BindingReference.from_edges(edges, genes=["CDK4", "NCL", "ACTB"])
    BindingReference(2 TFs × 3 genes: 6 tested pairs, 3 with a peak)
    """

    tfs: NDArray[np.object_]
    genes: NDArray[np.object_]
    status: NDArray[np.int8]
    rows: RowUse | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", _as_status(self.status))
        for field in ("tfs", "genes", "status"):
            dtype = np.int8 if field == "status" else object
            # Locking a view leaves the caller's array writeable.
            array = np.asarray(getattr(self, field), dtype=dtype).view()
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        self._check_fields()
        self._check_classes()

    def _check_fields(self) -> None:
        for field, names in (("tfs", self.tfs), ("genes", self.genes)):
            if names.ndim != 1 or not all(isinstance(name, str) and name for name in names):
                raise ValueError(f"`{field}` must be a list of names, strings that are not empty.")
            if not pd.Index(names).is_unique:
                raise ValueError(f"`{field}` must hold each name once.")
        shape = (len(self.tfs), len(self.genes))
        low, high = self.status.min(initial=PEAK), self.status.max(initial=UNTESTED)
        if self.status.shape != shape or low < UNTESTED or high > PEAK:
            raise ValueError(
                f"`status` must hold 0, 1 and 2 in the shape (n_tfs, n_genes) = {shape}, got the "
                f"shape {self.status.shape} and values from {low} to {high}."
            )

    def _check_classes(self) -> None:
        n_tested, n_peaks = self.n_tested, self.n_peaks
        if n_peaks in (0, n_tested):
            found = f"all {'with' if n_peaks else 'without'} a peak" if n_tested else "none left"
            raise AdvisedError(
                f"reference with one class only ({n_tested:,} tested pairs, {found}), which cannot "
                "distinguish links.",
                "Pass tested pairs with and without a peak (`peak` 1 and 0), or bound pairs with a "
                "gene universe that has further genes (`genes`).",
                "Give tested pairs with and without a peak (column peak, 1 and 0).",
            )

    def __repr__(self) -> str:
        rows = f"; {self.rows}" if self.rows is not None and self.rows.unused else ""
        return (
            f"BindingReference({len(self.tfs):,} TFs × {len(self.genes):,} genes: "
            f"{self.n_tested:,} tested pairs, {self.n_peaks:,} with a peak{rows})"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Instances are immutable, and scikit-learn's clone deep-copies every parameter per fit.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructor locks the arrays again.
        return versioned_call(type(self), self.tfs, self.genes, self.status, self.rows)

    @property
    def n_tested(self) -> int:
        """Number of tested pairs."""
        return int(np.count_nonzero(self.status))

    @property
    def n_peaks(self) -> int:
        """Number of pairs with a peak."""
        return int(np.count_nonzero(self.status == PEAK))

    @classmethod
    def from_table(cls, table: pd.DataFrame, *, confidence: Collection[str] | None = None) -> Self:
        """Create a reference from tested pairs, one row each.

        Parameters
        ----------
        table : DataFrame
            Columns ``TF``, ``target``, ``peak`` or dynamo's ``id``, ``linked_gene_name``, ``peak``,
            in any letter case; ``peak`` holds 0/1, false/true, no/yes or unbound/bound. A pair that
            occurs more than once has a peak if any of its rows has one.
        confidence : collection of str, optional
            As in `from_edges`.

        Returns
        -------
        BindingReference

        Raises
        ------
        ValueError
            If a column is missing, no row has usable names, ``peak`` holds other values or none, or
            all pairs are of one class.

        Warns
        -----
        UserWarning
            If rows are not used because a name is missing or is a date; see the attribute ``rows``.
        """
        evidence = EvidenceTable.from_table(table, "`table`", confidence)
        if evidence.peak is None:
            raise ValueError(
                "`table` has no column 'peak' to distinguish bound from unbound pairs. If all rows "
                "are bound pairs, use `BindingReference.from_edges`."
            )
        return cls(*_tested_pairs(evidence))

    @classmethod
    def from_edges(
        cls,
        edges: pd.DataFrame,
        genes: Iterable[str] | None = None,
        *,
        confidence: Collection[str] | None = None,
        direction: Direction = "both",
        harmonize: Rule = None,
    ) -> Self:
        """Create a reference from bound pairs; all other genes of the universe are not bound.

        Parameters
        ----------
        edges : DataFrame
            Columns ``TF`` and ``target``, or those of a known source (see Notes). Others, including
            weights, signs and ``peak``, are ignored; rows without a peak get a warning.
        genes : iterable of str, optional
            The universe; bound genes outside it are dropped. By default all targets in `edges`,
            which excludes genes that no TF binds.
        confidence : collection of str, optional
            Keep edges with these values of the column ``confidence`` only, such as ``("A", "B",
            "C")`` of DoRothEA. By default all.
        direction : {"both", "up", "down"}, default="both"
            Keep edges of activation ("up") or of repression ("down") only, by the sign or the words
            of ``weight``, ``mor``, ``regulation``, ``mode`` or ``interaction``, or the signs in the
            names of regulons (``Ar(+)``, ``SPI1_direct_-/+``). By default all edges are used,
            because binding evidence has no sign.
        harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default=None
            Rule that renames the targets to the names in `genes`, as in
            `scifate_sklearn.filters.harmonize_reference`.

        Returns
        -------
        BindingReference

        Raises
        ------
        ValueError
            If a column or a name is missing, the column of TFs is ambiguous, `confidence` holds a
            value that does not occur, no edge has the direction, less than a tenth of the targets
            (or of `genes`, if these are fewer) is in both, or all pairs are bound.

        Notes
        -----
        Known sources and their columns, TF → gene: dynamo ``id`` →
        ``linked_gene_name``, TRRUST ``TF`` → ``gene_symbol``, DoRothEA ``tf`` or ``source`` →
        ``target``, OmniPath ``source_genesymbol`` → ``target_genesymbol`` (type
        "transcriptional" only; the members of a complex have its targets), RegulonDB
        ``3)RegulatorGeneName`` → ``5)regulatedName``, SCENIC+ ``TF`` → ``Gene``, CollecTRI and
        decoupler ``source`` → ``target``, Harmonizome ``target`` → ``source``. The last two use the
        same names with opposite meanings. A table with ``source`` and ``target`` is Harmonizome's
        if it has ``source_desc`` and ``target_desc``, and decoupler's if it has none of these but
        ``weight``, ``mor``, ``confidence`` or a similar column; any other raises an error.
        """
        genes = None if genes is None else _as_universe(genes)
        evidence = EvidenceTable.from_table(edges, "`edges`", confidence, _own(genes), direction)
        _warn_about_unbound(evidence)
        return cls(*_bound_pairs(evidence, genes, harmonize))

    @classmethod
    def from_gmt(
        cls,
        path: str | os.PathLike[str],
        genes: Iterable[str] | None = None,
        *,
        tf_of_set: Callable[[str], str | None] | None = None,
        direction: Direction = "both",
        harmonize: Rule = None,
    ) -> Self:
        """Read a gene-set file (Enrichr, MSigDB) with the bound genes of one experiment per line.

        Parameters
        ----------
        path : path-like
            A GMT file, gzip-compressed or not.
        genes : iterable of str, optional
            The universe, as in `from_edges`.
        tf_of_set : callable, optional
            Returns the TF of a set, given its name, or None to leave the set out. By default the
            text before the first underscore or blank, as in Enrichr's ``TF_CELL_ASSEMBLY`` and
            ``TF (human)``; of MSigDB's ``MOTIF_TF_Q2``, the part after the motif. Signs of regulons
            (``TF(+)``, ``TF(-)``) are left out. Sets of the same TF are united.
        direction : {"both", "up", "down"}, default="both"
            Keep only sets whose last direction is up or down (``E2F1_UP.V1_DN`` is down), or whose
            sign is + or −. By default all sets are used, with a warning, because binding evidence
            has no sign.
        harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default=None
            As in `from_edges`.

        Returns
        -------
        BindingReference

        Raises
        ------
        FileNotFoundError, ValueError
            If the file is missing, unreadable or holds no set; and as `from_edges`.
        """
        genes = None if genes is None else _as_universe(genes)
        evidence = _evidence_of_sets(path, _own(genes), direction, tf_of_set)
        with prefix_errors(path):
            return cls(*_bound_pairs(evidence, genes, harmonize))

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        genes: Iterable[str] | None = None,
        *,
        confidence: Collection[str] | None = None,
        direction: Direction = "both",
        harmonize: Rule = None,
    ) -> Self:
        """Read a reference from a file.

        Parameters
        ----------
        path : path-like
            Delimited text (csv, tsv, txt; tabs, commas or semicolons, detected from the content),
            parquet, or gene sets (GMT); text may be gzip-compressed. A table with a column ``peak``
            is read as by `from_table`, without it as by `from_edges`, which lists the known
            sources. Read too are files without a header of TRRUST, RegulonDB and arboreto (TF,
            target, importance), and SCENIC's ``reg.csv``, whose lists of targets are parsed, not
            evaluated. Comments (``#``, ``%``, ``!``) and empty rows are left out; in tables with a
            column ``coef`` (links) any text is a name, in others ``NA``, ``-`` and the like are
            missing names unless `genes` has them.
        genes : iterable of str, optional
            The universe. Rows of other genes are dropped.
        confidence : collection of str, optional
            As in `from_edges`; not for gene sets.
        direction : {"both", "up", "down"}, default="both"
            As in `from_edges` and `from_gmt`. In ``reg.csv``, the contexts "activating" and
            "repressing".
        harmonize : {"case", "versions", "auto"}, mapping, DataFrame or None, default=None
            As in `from_edges`.

        Returns
        -------
        BindingReference

        Raises
        ------
        FileNotFoundError, ValueError, ImportError
            If the file is missing, empty, damaged, binary or lacks a column (the message names the
            path), or if it is parquet and pyarrow is not installed.

        Warns
        -----
        UserWarning
            If rows are not used because a name is missing or is a date, with the lines of the first
            of them; or as `from_gmt`.
        """
        genes = None if genes is None else _as_universe(genes)
        evidence = _evidence_of_file(path, _own(genes), confidence, direction)
        with prefix_errors(path):
            return cls(*_pairs(evidence, genes, harmonize))

    def map_names(
        self,
        new_name: Callable[[str], str | None] | Mapping[str, str],
        new_gene_name: Callable[[str], str | None] | Mapping[str, str] | None = None,
    ) -> Self:
        """Return a reference with other names of TFs and genes.

        Parameters
        ----------
        new_name : callable or mapping
            New name of each old one. A callable returns None to drop a name; names that are missing
            from a mapping stay unchanged. To keep orthologs only pass ``orthologs.get``.
        new_gene_name : callable or mapping, optional
            The same for genes, if they are renamed in another way than TFs.

        Returns
        -------
        BindingReference
            Names that become equal are united: a peak under one of them is a peak.
        """
        new_gene_name = new_name if new_gene_name is None else new_gene_name
        tfs, status = rename_rows(self.tfs, self.status, _renaming(new_name))
        genes, transposed = rename_rows(self.genes, status.T, _renaming(new_gene_name))
        return type(self)(tfs, genes, np.ascontiguousarray(transposed.T), self.rows)

    def with_universe(self, genes: Iterable[str]) -> Self:
        """Return a reference in which each TF was tested on all of these genes, and on no others.

        Parameters
        ----------
        genes : iterable of str
            The universe. Pairs that were not tested, and genes without any pair, become tested
            without a peak.

        Returns
        -------
        BindingReference
            With the same ``rows``.
        """
        universe = _as_universe(genes)
        place = pd.Index(self.genes).get_indexer(pd.Index(universe))
        status = np.full((len(self.tfs), len(universe)), NO_PEAK, np.int8)
        status[:, place >= 0] = np.maximum(self.status[:, place[place >= 0]], NO_PEAK)
        return type(self)(self.tfs, universe, status, self.rows)


def read_reference(
    path: str | os.PathLike[str], own: Collection[str]
) -> tuple[BindingReference, bool]:
    """Read a reference as `BindingReference.read` does; `own` are the names of the cells.

    A text of the file that is exactly one of these is a name, whatever it looks like.

    Returns
    -------
    reference : BindingReference
    is_bound_only : bool
        Whether the file lists bound pairs only, so that it does not tell which genes were tested.
    """
    evidence = _evidence_of_file(path, own)
    with prefix_errors(path):
        return BindingReference(*_pairs(evidence)), evidence.peak is None


def _evidence_of_file(
    path: str | os.PathLike[str],
    own: Collection[str],
    confidence: Collection[str] | None = None,
    direction: Direction = "both",
) -> EvidenceTable:
    """Return the evidence of a table or of gene sets."""
    if holds_gene_sets(path):
        if confidence is not None:
            raise ValueError(f"`confidence` does not apply to gene sets ({path}); leave it out.")
        return _evidence_of_sets(path, own, direction)
    table = read_evidence(path)
    evidence = EvidenceTable.from_table(table, str(path), confidence, own, direction)
    if not len(table):
        raise ValueError(f"{path} has a header, but no rows (0 tested pairs).")
    return evidence


def _evidence_of_sets(
    path: str | os.PathLike[str],
    own: Collection[str],
    direction: Direction = "both",
    tf_of_set: Callable[[str], str | None] | None = None,
) -> EvidenceTable:
    sets = GeneSets.from_file(path, tf_of_set, direction == "both")
    evidence = EvidenceTable.from_table(sets.table, str(path), own=own, direction=direction)
    rows = replace(evidence.rows, n_rows=evidence.rows.n_rows + sets.n_left_out)
    return replace(evidence, rows=rows.without("set without a TF", sets.n_left_out))


def _own(genes: Iterable[str] | None) -> Collection[str]:
    """Return the names of a universe."""
    return () if genes is None else frozenset(genes)


def as_reference(reference: object) -> BindingReference:
    """Return a reference, or create one from a table (with or without ``peak``) or a path."""
    if isinstance(reference, BindingReference):
        return reference
    if isinstance(reference, pd.DataFrame):
        return BindingReference(*_pairs(EvidenceTable.from_table(reference, "`reference`")))
    if isinstance(reference, str | os.PathLike):
        return BindingReference.read(reference)
    raise TypeError(
        "`reference` must be a BindingReference, a DataFrame or the path of a file, got "
        f"{type(reference).__name__}."
    )


def _pairs(
    evidence: EvidenceTable, genes: Iterable[str] | None = None, harmonize: Rule = None
) -> _Fields:
    """Return TFs, genes and status of a table of tested or of bound pairs."""
    if evidence.peak is None:
        return _bound_pairs(evidence, genes, harmonize)
    if genes is not None:
        target, is_inside = _within(evidence.target, _as_universe(genes), harmonize)
        evidence = replace(evidence.without(_OUTSIDE, is_inside), target=target)
    return _tested_pairs(evidence)


def _tested_pairs(evidence: EvidenceTable) -> _Fields:
    """Return TFs, genes, status and rows of tested pairs; a pair has a peak if a row has one."""
    tf, tfs = name_codes(evidence.tf)
    gene, genes = name_codes(evidence.target)
    peak = evidence.flags()
    status = _grid(tfs, genes, UNTESTED)
    status[tf, gene] = NO_PEAK
    status[tf[peak], gene[peak]] = PEAK
    n_repeated = len(tf) - int(np.count_nonzero(status))
    return tfs, genes, status, evidence.rows.without(_REPEATED, n_repeated)


def _bound_pairs(
    evidence: EvidenceTable, genes: Iterable[str] | None = None, harmonize: Rule = None
) -> _Fields:
    """Return TFs, genes, status and rows of bound pairs; the rest of the universe is not bound."""
    tf, tfs = name_codes(evidence.tf)
    gene, targets = name_codes(evidence.target)
    universe = targets if genes is None else _as_universe(genes)
    gene = _codes_in(universe, targets, harmonize)[gene]
    is_inside = gene >= 0
    status = _grid(tfs, universe, NO_PEAK)
    status[tf[is_inside], gene[is_inside]] = PEAK
    rows = evidence.without(_OUTSIDE, is_inside).rows
    n_repeated = int(np.count_nonzero(is_inside)) - int(np.count_nonzero(status == PEAK))
    return tfs, universe, status, rows.without(_REPEATED, n_repeated)


def _warn_about_unbound(evidence: EvidenceTable) -> None:
    if evidence.peak is not None and not (is_bound := evidence.flags()).all():
        warn(
            f"`edges` has {np.count_nonzero(~is_bound):,} rows whose 'peak' is 0, and all rows are "
            "taken as bound pairs. Use `BindingReference.from_table` for tested pairs."
        )


def _grid(tfs: NDArray[np.object_], genes: NDArray[np.object_], status: int) -> NDArray[np.int8]:
    """Return a matrix of one status; raise an error if it would take too much memory."""
    if len(tfs) * len(genes) > _MAX_PAIRS:
        raise ValueError(
            f"a reference of {len(tfs):,} TFs and {len(genes):,} genes has more than "
            f"{_MAX_PAIRS:,} pairs. Keep only the TFs and genes of the data, and check that the "
            "columns of TFs and targets hold symbols."
        )
    return np.full((len(tfs), len(genes)), status, dtype=np.int8)


def _as_status(status: Any) -> NDArray[np.int8]:
    """Return the matrix as int8; raise an error if that would change a value."""
    array = np.asarray(status)
    if array.dtype.kind not in "biuf" or np.ma.is_masked(status):
        raise TypeError(
            "`status` must be a dense array of 0, 1 and 2, got "
            f"{type(status).__name__} of {array.dtype}."
        )
    if array.dtype == np.int8:
        return array
    with np.errstate(invalid="ignore"):
        small = array.astype(np.int8)
    if not np.array_equal(small, array):
        raise ValueError(
            "`status` must hold 0, 1 and 2, got other values, for example "
            f"{array[small != array].flat[0]}."
        )
    return small


def _as_universe(genes: Iterable[str]) -> NDArray[np.object_]:
    """Return the names of a universe, each once."""
    if isinstance(genes, str | bytes | os.PathLike) or getattr(genes, "ndim", 1) != 1:
        raise TypeError(
            f"`genes` must be a collection of names, got {type(genes).__name__}; of a table pass "
            "one column."
        )
    names: list[Any] = list(genes)
    missing = [name for name in names if not isinstance(name, str) and pd.isna(name)]
    if missing:
        raise ValueError(
            f"`genes` lacks a name in {len(missing)} of {len(names)} entries; remove these."
        )
    return as_names(dict.fromkeys(names))


def _codes_in(
    universe: NDArray[np.object_], targets: NDArray[np.object_], harmonize: Rule
) -> NDArray[np.intp]:
    """Return the position of each target in the universe, −1 where it is not there."""
    plan = plan_renaming(universe, targets, harmonize)
    renamed = [plan(name) for name in targets]
    if len(targets):
        require_overlap(
            renamed,
            universe,
            what="target",
            whose="the evidence",
            where="the universe `genes`",
            hint=_advice,
        )
    return pd.Index(universe).get_indexer(pd.Index(renamed, dtype=object))


def _advice(cause: Cause | None) -> str:
    return f'Use `harmonize="{cause}"`.' if cause in ("case", "versions") else ""


def _within(
    column: "pd.Series[Any]", universe: NDArray[np.object_], harmonize: Rule
) -> tuple["pd.Series[Any]", NDArray[np.bool_]]:
    """Return the names of genes in the universe, as they are called there, and their rows."""
    codes, names = name_codes(column)
    found = _codes_in(universe, names, harmonize)[codes]
    is_inside = found >= 0
    inside = universe[found[is_inside]]
    return pd.Series(inside, column.index[is_inside], dtype=object, name=column.name), is_inside


def _renaming(
    new_name: Callable[[str], str | None] | Mapping[str, str],
) -> Callable[[str], str | None]:
    if not isinstance(new_name, Mapping):
        return new_name
    return lambda name: new_name.get(name, name)
