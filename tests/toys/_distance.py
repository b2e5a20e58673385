"""Evidence from the distance between a gene and the nearest motif of the TF."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .base import Evidence, LinkFilter, Reasons
from .evidence import CellNames, EvidenceKind, FittedModel, Step, input_file, naming, option


class DistanceLinkFilter(LinkFilter):
    """Keep links whose target has a motif of the TF nearby."""

    evidence_columns = ("distance",)

    def __init__(self, distances: pd.DataFrame, max_distance: float = 10.0) -> None:
        self.distances = distances
        self.max_distance = max_distance

    def _learn(self, links: pd.DataFrame) -> None:
        self.by_pair_ = self.distances.set_index(["TF", "target"])["distance"]

    def _judge(self, links: pd.DataFrame) -> tuple[Evidence, Reasons]:
        pairs = pd.MultiIndex.from_frame(links[["TF", "target"]])
        found = self.by_pair_.reindex(pairs).to_numpy()
        cases = [np.isnan(found), found > self.max_distance]
        texts = ["no distance", f"farther than {self.max_distance:g} kb"]
        return {"distance": found}, np.select(cases, texts, "").astype(object)


@dataclass(frozen=True)
class DistanceEvidence(EvidenceKind):
    """Options ``--distances`` and ``--max-distance``."""

    name = "distance"
    table_names = ("distances",)

    distances: Path | None = input_file(help="Distances: a table with TF, target and distance.")
    max_distance: float = option(10.0, help="Largest distance in kb.", needs="distances", min=0)

    def read(self, cells: CellNames) -> pd.DataFrame:
        """Return the table of distances."""
        assert self.distances is not None
        with naming("--distances", self.distances):
            table = pd.read_csv(self.distances)
            if missing := {"TF", "target", "distance"} - set(table.columns):
                raise ValueError(f"the table lacks the column(s) {', '.join(sorted(missing))}.")
            if not pd.api.types.is_numeric_dtype(table["distance"]):
                raise ValueError("the column distance must hold numbers only.")
            cells.require("TF", set(table["TF"]))
            cells.require("target", set(table["target"]))
        return table

    def make_filter(self, reference: pd.DataFrame, model: FittedModel) -> DistanceLinkFilter:
        """Return the filter with the distance of the command line."""
        return DistanceLinkFilter(reference, self.max_distance)

    def tables(self, fitted: Any) -> dict[str, pd.DataFrame]:
        """Return the number of links of each TF, and of those that are kept."""
        kept = fitted.ledger_.groupby("TF")["kept"]
        return {"distances": kept.agg(links="size", near="sum").reset_index()}

    def steps(self, fitted: Any) -> list[Step]:
        """Return how many links are kept."""
        kept = fitted.ledger_["kept"]
        return [Step("links_near", "links near a motif", len(kept), int(kept.sum()))]
