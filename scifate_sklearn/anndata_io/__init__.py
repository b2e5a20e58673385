"""The front door: AnnData in, matrices out; and dynamo's function for those who have it in scripts.

This package is the only place that knows AnnData's slots. It reads them through the object it is
given and never imports anndata itself.
"""

from .dynamo import scifate_glmnet
from .names import read_tf_names
from .prepare import SciFateInputs, prepare_anndata

__all__ = ["SciFateInputs", "prepare_anndata", "read_tf_names", "scifate_glmnet"]
