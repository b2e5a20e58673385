"""Preparation of AnnData for regression, and dynamo's `scifate_glmnet`.

`prepare_anndata` returns matrices, `prepare_moments` returns sums over any number of cells, and
`labelled_states`, `velocity_states` and `lagged_states` return cells before and after a step. Only
this package reads the slots of an AnnData. The library anndata is imported only to open a file.
"""

from ..names import read_tf_names
from ._activity import TFActivity, tf_activity
from ._conventions import FoundLayers
from ._dynamo import scifate_glmnet
from ._files import open_anndata, open_parts, open_store, write_uns
from ._find import find_layers
from ._groups import (
    GroupNetworks,
    GroupSurvey,
    fit_by_group,
    survey_groups,
    with_groups,
)
from ._inputs import SciFateInputs, SciFateMoments
from ._inspect import CellsReport, inspect_cells
from ._iterate import KeptCells, iterate_cells
from ._lagged import lagged_states
from ._prepare import prepare_anndata, prepare_cells, prepare_moments
from ._read_cells import FORMAT_NAMES, Recognised, convert_cells, read_cells
from ._states import labelled_states, velocity_states
from ._zip import is_zipped_zarr, unzip

__all__ = [
    "FORMAT_NAMES",
    "CellsReport",
    "FoundLayers",
    "GroupNetworks",
    "GroupSurvey",
    "KeptCells",
    "Recognised",
    "SciFateInputs",
    "SciFateMoments",
    "TFActivity",
    "convert_cells",
    "find_layers",
    "fit_by_group",
    "inspect_cells",
    "is_zipped_zarr",
    "iterate_cells",
    "labelled_states",
    "lagged_states",
    "open_anndata",
    "open_parts",
    "open_store",
    "prepare_anndata",
    "prepare_cells",
    "prepare_moments",
    "read_cells",
    "read_tf_names",
    "scifate_glmnet",
    "survey_groups",
    "tf_activity",
    "unzip",
    "velocity_states",
    "with_groups",
    "write_uns",
]
