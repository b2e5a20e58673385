"""Tables of gene names: old symbols, orthologs, and symbols of ids."""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from ..files import AdvisedError, DelimitedText, prefix_errors, read_text, split_fields
from ._additions import without_quotes
from ._columns import column_key
from ._examples import examples
from ._matching import ignoring_version
from ._missing import is_missing
from ._renaming import read_aliases
from ._rows import RowUse

# Kinds of columns, by the keys of their names.
_KINDS = {
    "symbol": re.compile(
        r"\w*(?<!previous)(?<!prev)(?<!alias)symbol|\w*genename|genenames|geneshortname|new|human|"
        r"mouse|rat|fly|zebrafish|worm|yeast"
    ),
    "id": re.compile(r"\w*(genestableid(version)?|ensemblgene(id)?|ensemblid|geneid|mgiid|hgncid)"),
    "old": re.compile(r"old"),
    "previous": re.compile(r"prev(ious)?symbols?"),
    "alias": re.compile(r"alias(es|symbols?)?|(gene)?synonyms?"),
}
_RETIRED = ("previous", "alias")
# Authorities in the names of columns, such as `mgi_symbol`.
_AUTHORITIES = {
    "human": "hgnc",
    "mouse": "mgi",
    "rat": "rgd",
    "zebrafish": "zfin",
    "fly": "flybase",
}
_ID = re.compile(r"(ENS[A-Z]*G\d{11}(\.\d+)?|FBgn\d{7}|WBGene\d{8})")
_SEVERAL, _SEVERAL_RETIRED = re.compile(r"\|"), re.compile(r"[|;,]")
# MGI's report has one row per gene; those of one key are orthologs.
_MGI = ("DB Class Key", "Common Organism Name", "Symbol")
_SUPPORT = "support"
_LONGEST_WORD = len("none")
# Rows of a table without a header that are looked at to find its ids.
_N_LOOKED_AT = 1000


def read_gene_table(
    path: str | os.PathLike[str],
    *,
    new: str | None = None,
    names: Collection[str] | None = None,
    min_support: int = 3,
) -> pd.DataFrame:
    r"""Read a table that maps names of genes to others, for `harmonize` and `gene_symbols`.

    Parameters
    ----------
    path : path-like
        Delimited text, gzip-compressed or not: old symbols (HGNC's complete set or custom
        download), orthologs (HCOP, Ensembl BioMart, MGI's ``HOM_*.rpt``, two columns of symbols),
        symbols of ids (BioMart, ``t2g.txt``, ``features.tsv``), or columns ``old`` and ``new``.
        Several names in one field may be separated by ``|``, ``;`` or commas.
    new : str, optional
        Column with the new names, or a species: ``"mouse"`` for ``mouse_symbol``, ``Mouse gene
        name`` or mouse rows of MGI's report.
    names : collection of str, optional
        Names in the data. Without `new`, the column that has most of them is that of the new names.
        Without either, new names are the current symbols; a table of two species without a header
        maps the first column to the second one.
    min_support : int, default=3
        Of HCOP, use orthologs that at least this number of its sources assert.

    Returns
    -------
    DataFrame
        Columns ``old`` and ``new``, each pair once. ``attrs["rows"]`` tells how many pairs of names
        are used: ``n_rows``, ``n_used``, and ``unused``, their number by reason;
        ``attrs["n_ambiguous"]`` is the number of old names with several new ones, which
        `harmonize_reference` does not rename.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, damaged or empty, or its columns of names are unknown.

    Notes
    -----
    Retired symbols and aliases that are the current symbol of any gene are not used, and aliases
    that are the retired symbol of a gene stand for that gene only.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "orthologs.csv")
    >>> rows = "human_symbol,mouse_symbol", "TP53,Trp53", "INS,Ins1", "INS,Ins2"
    >>> _ = path.write_text("\n".join(rows))
    >>> table = read_gene_table(path, new="mouse")
    >>> table["new"].tolist(), table.attrs["n_ambiguous"]
    (['Trp53', 'Ins1', 'Ins2'], 1)
    """
    table = _GeneTable.from_file(path).by_organism().supported(min_support)
    with prefix_errors(path):
        return table.pairs(table.position_of_new(new, names))


@dataclass(frozen=True)
class _GeneTable:
    """A table with columns of names.

    Attributes
    ----------
    header : list of str
        Names of the columns; ``column 1``, … if the file has none.
    rows : list of list of str
    kinds : list of str
        Kind of each column: a key of `_KINDS`, or "".
    has_header : bool
    n_weak : int
        Number of rows with too little support.
    """

    header: list[str]
    rows: list[list[str]]
    kinds: list[str]
    has_header: bool = True
    n_weak: int = 0

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        content = read_text(path)
        with prefix_errors(path):
            text = DelimitedText.from_text(content, lambda name: bool(_kind(name)))
        header = [without_quotes(field) for field in text.header]
        fields = split_fields((f"{line}\n" for line in text.lines), text.delimiter, path)
        if not fields and not header:
            raise ValueError(f"{path} is empty; it should be a table of names of genes.")
        kinds = list(map(_kind, header))
        if not any(kinds):
            rows = [header, *fields]
            kinds = _kinds_of_columns(rows)
            return cls([f"column {i + 1}" for i in range(len(header))], rows, kinds, False)
        # R writes row names that have no field in the header.
        extra = 1 if fields and all(len(row) == len(header) + 1 for row in fields) else 0
        return cls(header, [row[extra:] for row in fields] if extra else fields, kinds)

    @cached_property
    def keys(self) -> list[str]:
        return list(map(column_key, self.header))

    def by_organism(self) -> Self:
        """Return MGI's report, which has one row per gene, with one column per organism."""
        wanted = list(map(column_key, _MGI))
        if not set(wanted) <= set(self.keys):
            return self
        places = [self.keys.index(key) for key in wanted]
        found = [[row[i] if i < len(row) else "" for i in places] for row in self.rows]
        frame = pd.DataFrame(found, columns=["key", "organism", "symbol"])
        joined = frame.groupby(["key", "organism"])["symbol"].agg("|".join).unstack(fill_value="")
        rows = joined.to_numpy(object).tolist()
        return type(self)(list(map(str, joined.columns)), rows, ["symbol"] * joined.shape[1])

    def supported(self, least: int) -> Self:
        """Return the rows of HCOP that enough of its sources assert; other tables as they are."""
        if _SUPPORT not in self.keys:
            return self
        place = self.keys.index(_SUPPORT)
        kept = [row for row in self.rows if _n_sources(row, place) >= least]
        return replace(self, rows=kept, n_weak=len(self.rows) - len(kept))

    def names_in(self, place: int) -> list[list[str]]:
        """Return the names in a column, a list per row."""
        separator = _SEVERAL_RETIRED if self.kinds[place] in _RETIRED else _SEVERAL
        cells = (row[place] if place < len(row) else "" for row in self.rows)
        return [
            [name for part in separator.split(cell) if _is_name(name := part.strip())]
            for cell in cells
        ]

    def position_of_new(self, new: str | None, names: Collection[str] | None) -> int:
        """Return the position of the column with the new names."""
        if new is not None:
            return self._named(new)
        symbols = [i for i, kind in enumerate(self.kinds) if kind == "symbol"]
        if names is not None:
            candidates = [*symbols, *(i for i, kind in enumerate(self.kinds) if kind == "id")]
            found = [self._n_common(i, set(names)) for i in candidates]
            if any(found):
                return candidates[int(np.argmax(found))]
        if len(symbols) == 1 or (symbols and not self.has_header):
            return symbols[-1]
        keys = [self.keys[i] for i in symbols]
        if "new" in keys:
            return symbols[keys.index("new")]
        raise AdvisedError(
            f"it must have one column of current symbols, but has "
            f"{examples([self.header[i] for i in symbols]) if symbols else 'none'} of "
            f"{examples(self.header, 15)}.",
            "Name the column with the new names as `new`, or pass the names in the data as "
            "`names`; call the others 'old'.",
            "Call the columns old and new.",
        )

    def _n_common(self, place: int, names: set[str]) -> int:
        return len(names.intersection(name for each in self.names_in(place) for name in each))

    def _named(self, new: str) -> int:
        key = column_key(new)
        if key in self.keys:
            return self.keys.index(key)
        starts = (key, _AUTHORITIES.get(key, key))
        found = [
            i
            for i, name in enumerate(self.keys)
            if name.startswith(starts) and self.kinds[i] == "symbol"
        ]
        if len(found) == 1:
            return found[0]
        raise ValueError(
            f"`new` = {new!r} is no column of symbols; found {examples(self.header, 15)}."
        )

    def pairs(self, place: int) -> pd.DataFrame:
        """Return the pairs of other names and the new names."""
        order = list(_KINDS)
        others = [i for i, kind in enumerate(self.kinds) if kind and i != place]
        if not others:
            raise ValueError(
                f"it has no column of names beside {self.header[place]!r}; found "
                f"{examples(self.header, 15)}."
            )
        news = self.names_in(place)
        current = {name for each in news for name in each}
        use = RowUse(self.n_weak).without("few sources", self.n_weak)
        parts: list[pd.DataFrame] = []
        taken: set[str] = set()
        for i in sorted(others, key=lambda i: order.index(self.kinds[i])):
            part, use = self._pairs_of(i, news, use)
            is_retired = self.kinds[i] in _RETIRED
            is_current = part["old"].isin(current | taken if is_retired else taken)
            use = use.without("name of another gene", int(is_current.sum()))
            parts.append(part[~is_current])
            taken |= set(part["old"])
        return _as_table(parts, use)

    def _pairs_of(
        self, place: int, news: list[list[str]], use: RowUse
    ) -> tuple[pd.DataFrame, RowUse]:
        olds = self.names_in(place)
        pairs = [(old, name) for a, b in zip(olds, news, strict=True) for old in a for name in b]
        n_empty = sum(not (a and b) for a, b in zip(olds, news, strict=True))
        use = RowUse(use.n_rows + len(pairs) + n_empty, use.unused).without("no name", n_empty)
        return pd.DataFrame(pairs, columns=["old", "new"], dtype=object), use


def _as_table(parts: Iterable[pd.DataFrame], use: RowUse) -> pd.DataFrame:
    pairs = pd.concat(list(parts), ignore_index=True)
    distinct = pairs.drop_duplicates(ignore_index=True)
    use = use.without("repeated pair", len(pairs) - len(distinct))
    if not len(distinct):
        raise ValueError(f"it has no pair of names ({use}).")
    is_ambiguous = distinct["old"].duplicated(keep=False)
    distinct.attrs["rows"] = {
        "n_rows": use.n_rows,
        "n_used": use.n_used,
        "unused": dict(use.unused),
    }
    distinct.attrs["n_ambiguous"] = int(distinct.loc[is_ambiguous, "old"].nunique())
    return distinct


def _kind(name: str) -> str:
    key = column_key(name)
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(key)), "")


def _kinds_of_columns(rows: list[list[str]]) -> list[str]:
    """Return the kinds of the columns of a table without a header.

    Beside Ensembl ids of genes, the symbols are in the column after these.
    """
    looked_at = [row for row in rows[:_N_LOOKED_AT] if len(row) == len(rows[0])]
    columns = list(zip(*looked_at, strict=True))
    are_ids = [
        2 * sum(_ID.fullmatch(cell) is not None for cell in column) > len(column)
        for column in columns
    ]
    if any(are_ids):
        first = are_ids.index(True)
        return [
            "id" if is_id else "symbol" if i == first + 1 else "" for i, is_id in enumerate(are_ids)
        ]
    return ["symbol"] * len(columns) if len(columns) == 2 else [""] * len(columns)


def _is_name(text: str) -> bool:
    # Missing values of letters and digits only are short; tables have a million names.
    return (len(text) > _LONGEST_WORD and text.isalnum()) or not is_missing(text)


def _n_sources(row: Sequence[str], place: int) -> int:
    return len(row[place].split(",")) if place < len(row) and row[place].strip() else 0


def translated(names: Iterable[str], table: Any) -> list[str | None]:
    """Return the new name of each name, found exactly or without Ensembl versions.

    Parameters
    ----------
    names : iterable of str
    table : DataFrame with the columns ``old`` and ``new``, or mapping

    Returns
    -------
    list of str or None
        None for names that the table lacks, or that it gives several new names.
    """
    known, _ = read_aliases(table, "gene_symbols")
    plain: dict[str, str | None] = {}
    for old, new in known.items():
        key = ignoring_version(old)
        # Versions of one id may have different symbols.
        plain[key] = new if plain.get(key, new) == new else None
    return [known.get(name, plain.get(ignoring_version(name))) for name in names]
