"""The front door: AnnData in, matrices out; and dynamo's function for those who have it in scripts.

This package is the only place that knows AnnData's slots. It reads them through the object it is
given; anndata itself is imported only to open a file.
"""

from .dynamo import scifate_glmnet
from .files import open_anndata
from .inputs import SciFateInputs, SciFateMoments
from .prepare import prepare_anndata, prepare_moments
from .tf_lists import read_tf_names

__all__ = [
    "SciFateInputs",
    "SciFateMoments",
    "open_anndata",
    "prepare_anndata",
    "prepare_moments",
    "read_tf_names",
    "scifate_glmnet",
]
