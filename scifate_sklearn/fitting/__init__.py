"""The fit of all targets, shared by every estimator.

An estimator reads its arguments into `TrainingData`, turns its parameters into `FitParameters`, and
fits with `Fit`. Estimators that fit repeatedly (permutations, halves) make further `Fit` objects.
"""

from ._checks import (
    Arguments,
    check_per_row,
    check_same_rows,
    check_targets,
    feature_names,
    group_labels,
    missing_labels,
    own_positions,
    read_penalties,
    set_feature_names,
    target_position,
)
from ._chunks import Chunks, read_chunks
from ._containers import column_names
from ._data import (
    TrainingData,
    check_moments,
    check_scored,
    mean_r2,
    predict_linear,
    read_new_samples,
    read_samples,
)
from ._fit import Fit, PermutedFits
from ._parameters import FitParameters
from ._penalties import relative_penalties

__all__ = [
    "Arguments",
    "Chunks",
    "Fit",
    "FitParameters",
    "PermutedFits",
    "TrainingData",
    "check_moments",
    "check_per_row",
    "check_same_rows",
    "check_scored",
    "check_targets",
    "column_names",
    "feature_names",
    "group_labels",
    "mean_r2",
    "missing_labels",
    "own_positions",
    "predict_linear",
    "read_chunks",
    "read_new_samples",
    "read_penalties",
    "read_samples",
    "relative_penalties",
    "set_feature_names",
    "target_position",
]
