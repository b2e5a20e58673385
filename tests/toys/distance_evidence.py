"""Worked example of CONTRIBUTING.md: evidence from the distance between TF motif and gene."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scifate_sklearn.filters.base import LinkFilter
from scifate_sklearn.filters.evidence import EvidenceKind, Step, input_file, naming, option
from scifate_sklearn.names import require_overlap


class DistanceLinkFilter(LinkFilter):
    """Keep links whose TF has a motif near the target."""

    evidence_columns = ("distance",)

    def __init__(self, distances, max_distance=10.0):
        self.distances = distances
        self.max_distance = max_distance

    def _learn(self, links):
        self.by_pair_ = self.distances.set_index(["TF", "target"])["distance"]

    def _judge(self, links):
        found = self.by_pair_.reindex(pd.MultiIndex.from_frame(links[["TF", "target"]])).to_numpy()
        far = f"farther than {self.max_distance:g} kb"
        cases = [np.isnan(found), found > self.max_distance]
        reasons = np.select(cases, ["no distance", far], "").astype(object)
        return {"distance": found}, reasons


@dataclass(frozen=True)
class DistanceEvidence(EvidenceKind):
    """Options ``--distances`` and ``--max-distance``."""

    name = "distance"
    table_names = ("distances",)

    distances: Path | None = input_file(help="Distances: a table with TF, target and distance.")
    max_distance: float = option(10.0, help="Largest distance in kb.", needs="distances", min=0)

    def read(self, names, min_overlap):
        with naming("--distances", self.distances):
            table = pd.read_csv(self.distances)
            for role in ("TF", "target"):
                require_overlap(
                    names[role], table[role], what=role, whose="the cells", min_share=min_overlap
                )
        return table

    def make_filter(self, reference, model):
        return DistanceLinkFilter(reference, self.max_distance)

    def tables(self, fitted):
        counts = fitted.ledger_.groupby("TF")["kept"].agg(["size", "sum"])
        return {"distances": counts.rename(columns={"size": "links", "sum": "near"}).reset_index()}

    def steps(self, fitted):
        kept = fitted.ledger_["kept"]
        return [Step("links_near", "links near a motif", len(kept), int(kept.sum()))]
