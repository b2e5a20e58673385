"""Tables of OmniPath and RegulonDB as pairs of one TF and one target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...names import RowUse, column_key
from ._signs import EFFECT

# Columns of OmniPath's web service and of OmnipathR; its `source` and `target` are accessions.
_OMNIPATH = ("source_genesymbol", "target_genesymbol")
_LEVEL = "dorothea_level"
_TRANSCRIPTIONAL = "transcriptional"
# RegulonDB since version 11 numbers its columns; of several subunits a cell has all genes.
_REGULONDB = ("3)RegulatorGeneName", "5)regulatedName")
_REGULONDB_LEVEL = "7)confidenceLevel"

SOURCE_NAMES = (*_OMNIPATH, *_REGULONDB, _REGULONDB_LEVEL)
# Effects in the files of RegulonDB before, which have no header.
_EFFECTS = frozenset(("+", "-", "+-", "-+", "?", "activator", "repressor", "dual", "unknown"))
_SEVERAL = re.compile(r"[;,]\s*")
# Symbols of human, mouse and rat have no underscore; in OmniPath it joins the members of complexes.
_MEMBERS = re.compile(r";\s*|_")


@dataclass(frozen=True)
class SourceTable:
    """A table with one TF and one target in each row.

    Attributes
    ----------
    table : DataFrame
    unused : mapping of str to int
        Number of rows that are left out, by reason.
    """

    table: pd.DataFrame
    unused: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> Self:
        """Convert a table of OmniPath or RegulonDB; any other stays as it is.

        Of OmniPath, interactions that are not transcriptional are left out, and the members of a
        complex have the targets of the complex; the best level of DoRothEA is the confidence.
        """
        columns = {column_key(name): name for name in table.columns}
        if set(map(column_key, _OMNIPATH)) <= set(columns):
            return cls(*_from_omnipath(table, columns))
        if set(map(column_key, _REGULONDB)) <= set(columns):
            return cls(_from_regulondb(table, columns))
        return cls(table)

    def counted(self, rows: RowUse) -> RowUse:
        """Return the use of the rows of `table` with those that were left out before."""
        rows = replace(rows, n_rows=rows.n_rows + sum(self.unused.values()))
        for reason, count in self.unused.items():
            rows = rows.without(reason, count)
        return rows


def regulondb_header(fields: list[str]) -> tuple[str, ...] | None:
    """Return names of the columns of a row of RegulonDB without a header; None for other rows.

    The columns are TF, gene and effect, or id and name of both and the effect.
    """
    for place, names in ((2, ("TF", "target")), (4, ("tf_id", "TF", "gene_id", "target"))):
        if len(fields) > place + 1 and fields[place].strip().lower() in _EFFECTS:
            others = range(len(fields) - place - 1)
            return (*names, EFFECT, *(f"column{i}" for i in others))
    return None


def _from_omnipath(
    table: pd.DataFrame, columns: Mapping[str, Any]
) -> tuple[pd.DataFrame, Mapping[str, int]]:
    is_used = np.ones(len(table), np.bool_)
    if (kind := columns.get("type")) is not None:
        is_used = (table[kind].astype(str).str.strip() == _TRANSCRIPTIONAL).to_numpy(np.bool_)
    used = table[is_used]
    symbols = {
        role: used[columns[column_key(name)]].astype(str).str.split(_MEMBERS)
        for role, name in zip(("TF", "target"), _OMNIPATH, strict=True)
    }
    pairs = pd.DataFrame(symbols)
    pairs[EFFECT] = _effects(used, columns)
    if (level := columns.get(column_key(_LEVEL))) is not None:
        # Levels are letters, A is the best.
        pairs["confidence"] = [min(_SEVERAL.split(str(text))) for text in used[level]]
    unused = {} if is_used.all() else {"not transcriptional": int(np.count_nonzero(~is_used))}
    return pairs.explode("TF").explode("target"), unused


def _effects(table: pd.DataFrame, columns: Mapping[str, Any]) -> NDArray[np.int8]:
    """Return 1 for stimulation, −1 for inhibition, 0 for both or none."""
    names = [columns.get(column_key(name)) for name in ("is_stimulation", "is_inhibition")]
    flags = [
        np.zeros(len(table), np.int8)
        if name is None
        else table[name].astype(str).str.strip().str.lower().isin(["true", "1"]).to_numpy(np.int8)
        for name in names
    ]
    return flags[0] - flags[1]


def _from_regulondb(table: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    tf, target = (columns[column_key(name)] for name in _REGULONDB)
    new = {tf: "TF", target: "target"}
    if (level := columns.get(column_key(_REGULONDB_LEVEL))) is not None:
        new[level] = "confidence"
    renamed = table.rename(columns=new)
    renamed["TF"] = [_SEVERAL.split(str(text)) for text in renamed["TF"]]
    return renamed.explode("TF")
