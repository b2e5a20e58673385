"""The front door: AnnData in, matrices out; and dynamo's function for those who have it in scripts.

This package is the only place that knows AnnData's slots. It reads them through the object it is
given; anndata itself is imported only to open a file.
"""

from ..names import read_tf_names
from ._dynamo import scifate_glmnet
from ._files import open_anndata, open_store, write_uns
from ._inputs import SciFateInputs, SciFateMoments
from ._prepare import prepare_anndata, prepare_moments

__all__ = [
    "SciFateInputs",
    "SciFateMoments",
    "open_anndata",
    "open_store",
    "prepare_anndata",
    "prepare_moments",
    "read_tf_names",
    "scifate_glmnet",
    "write_uns",
]
