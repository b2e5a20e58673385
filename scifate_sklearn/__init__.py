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
from .filters import BindingReference, EncodeLinkFilter
from .networks import combine_links, compare_links, score_network
from .preprocessing import RSampleKFold
from .regressor import SciFateRegressor

__all__ = [
    "BindingReference",
    "EncodeLinkFilter",
    "RSampleKFold",
    "SciFateInputs",
    "SciFateMoments",
    "SciFateRegressor",
    "combine_links",
    "compare_links",
    "datasets",
    "open_anndata",
    "prepare_anndata",
    "prepare_moments",
    "scifate_glmnet",
    "score_network",
]
