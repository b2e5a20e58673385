"""Common parts of the modules that run scikit-learn's estimator checks."""

READS_Y = "passes or reads `y` by name; the estimator calls it `target_matrix`"
ROW_PER_CELL = "expects one row of numbers per cell from transform, which returns links"
EXPECTED_FAILURES = {
    "check_fit_score_takes_y": READS_Y,
    "check_n_features_in_after_fitting": READS_Y,
    "check_sample_weight_equivalence_on_dense_data": READS_Y,
    "check_sample_weight_equivalence_on_sparse_data": READS_Y,
    "check_transformer_general": ROW_PER_CELL,
    "check_transformer_data_not_an_array": ROW_PER_CELL,
    "check_pipeline_consistency": ROW_PER_CELL,
    "check_estimators_pickle": ROW_PER_CELL,
    "check_methods_sample_order_invariance": ROW_PER_CELL,
    "check_methods_subset_invariance": ROW_PER_CELL,
    "check_fit_idempotent": ROW_PER_CELL,
}


class NamedXy:
    """Mixin: the arguments are called X and y, and transform is removed, as the checks expect."""

    def fit(self, X, y, *, sample_weight=None, groups=None):
        return super().fit(X, y, sample_weight=sample_weight, groups=groups)

    def score(self, X, y, sample_weight=None):
        return super().score(X, y, sample_weight)

    @property
    def transform(self):
        raise AttributeError("transform")

    @property
    def fit_transform(self):
        raise AttributeError("fit_transform")
