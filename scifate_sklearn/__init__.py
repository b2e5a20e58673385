"""TF → target networks from newly made RNA, as scikit-learn estimators."""

from . import datasets
from ._version import __version__ as __version__
from .anndata_io import (
    SciFateInputs,
    SciFateMoments,
    open_anndata,
    prepare_anndata,
    prepare_moments,
    scifate_glmnet,
)
from .filters import (
    BindingReference,
    EncodeLinkFilter,
    LinkUnion,
    MotifLinkFilter,
    MotifRankings,
    harmonize_reference,
    motif_scores,
    name_overlap,
    prior_penalties,
)
from .ledger import link_ledger
from .linear_model import MultiOutputLassoCV
from .networks import combine_links, compare_links, score_network
from .preprocessing import RSampleKFold
from .regressor import SciFateRegressor
from .resampling import PermutationFDR, StabilitySelection

__all__ = [
    "BindingReference",
    "EncodeLinkFilter",
    "LinkUnion",
    "MotifLinkFilter",
    "MotifRankings",
    "MultiOutputLassoCV",
    "PermutationFDR",
    "RSampleKFold",
    "SciFateInputs",
    "SciFateMoments",
    "SciFateRegressor",
    "StabilitySelection",
    "combine_links",
    "compare_links",
    "datasets",
    "harmonize_reference",
    "link_ledger",
    "motif_scores",
    "name_overlap",
    "open_anndata",
    "prepare_anndata",
    "prepare_moments",
    "prior_penalties",
    "scifate_glmnet",
    "score_network",
]
