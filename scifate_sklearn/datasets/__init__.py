"""Simulated labelled cells with a known network, and cached downloads of reference files."""

from ._downloads import fetch_file
from ._labelled_cells import LabelledCells, make_labelled_cells
from ._references import DYNAMO_ENCODE_URL as DYNAMO_ENCODE_URL
from ._references import DYNAMO_TF_ANNOTATIONS_URL as DYNAMO_TF_ANNOTATIONS_URL
from ._references import (
    fetch_cistarget,
    fetch_dynamo_encode,
    fetch_dynamo_tf_annotations,
    fetch_harmonizome_encode,
)
from ._species import SPECIES as SPECIES
from ._species import fetch_reference

__all__ = [
    "LabelledCells",
    "fetch_cistarget",
    "fetch_dynamo_encode",
    "fetch_dynamo_tf_annotations",
    "fetch_file",
    "fetch_harmonizome_encode",
    "fetch_reference",
    "make_labelled_cells",
]
