"""Pictures of fits, links and networks, by matplotlib (extra ``plot``).

Each function draws one picture of fitted estimators or of a links table into `ax`, or into a new
figure as wide as one column of a journal (85 mm), and returns the Axes. None calls ``show``.
`style` gives other sizes, `save` writes files whose text can be edited. The colours can be told
apart by people with any colour vision: activation is vermilion, repression blue (Okabe and Ito).

matplotlib is imported when the first picture is drawn.
"""

from ._activity import activity
from ._coefficient_path import coefficient_path
from ._compare import compare
from ._cv_curve import cv_curve
from ._enrichment import enrichment
from ._fdr_curve import fdr_curve
from ._link_heatmap import link_heatmap
from ._network import network
from ._r2_histogram import r2_histogram
from ._regulator_ranks import regulator_ranks
from ._save import save
from ._stability import stability
from ._style import style

__all__ = [
    "activity",
    "coefficient_path",
    "compare",
    "cv_curve",
    "enrichment",
    "fdr_curve",
    "link_heatmap",
    "network",
    "r2_histogram",
    "regulator_ranks",
    "save",
    "stability",
    "style",
]
