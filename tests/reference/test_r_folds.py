"""Comparison of RSampleKFold with R's ``set.seed(seed); sample(rep(seq(k), length = n))``."""

import csv

import numpy as np
import pytest

from scifate_sklearn.preprocessing import RSampleKFold

# Results of R 4.2 for seeds and sizes that r_folds.csv does not have: sample.kind, seed, n, k,
# head(f), sum(f * (seq_along(f) %% 1009)). 65,536 samples need 16 bits, 70,000 need 17.
EXTRA = """
Rejection 0 2 2 2,1 4
Rejection 0 65536 10 1,3,8,1,10,9 181796892
Rejection 0 70000 10 8,1,10,5,3,7 193061721
Rejection -5 2 2 1,2 5
Rejection -5 65536 10 3,7,10,2,10,4 181468710
Rejection -5 70000 10 3,7,4,8,1,4 193320333
Rejection 2147483647 2 2 1,2 5
Rejection 2147483647 65536 10 2,9,8,1,1,3 181421338
Rejection 2147483647 70000 10 2,8,1,3,1,8 193686049
Rejection -2147483647 2 2 1,2 5
Rejection -2147483647 65536 10 4,9,5,7,2,3 181764276
Rejection -2147483647 70000 10 4,9,7,3,1,8 193171122
Rounding 0 2 2 2,1 4
Rounding 0 65536 10 6,1,7,1,7,7 181440581
Rounding 0 70000 10 9,6,8,9,1,7 193239625
Rounding -5 2 2 2,1 4
Rounding -5 65536 10 3,2,10,5,8,8 181545862
Rounding -5 70000 10 2,9,3,8,3,5 193221932
Rounding 2147483647 2 2 2,1 4
Rounding 2147483647 65536 10 9,1,5,6,6,6 181566740
Rounding 2147483647 70000 10 7,1,4,9,1,7 193478737
Rounding -2147483647 2 2 2,1 4
Rounding -2147483647 65536 10 3,4,4,9,2,5 181016926
Rounding -2147483647 70000 10 2,3,7,7,1,5 193221761
"""


def test_every_row_of_r_folds(shared):
    with open(shared / "reference" / "r_folds" / "r_folds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48
    for row in rows:
        splitter = RSampleKFold(int(row["k"]), int(row["seed"]), row["sample_kind"])
        expected = np.array(row["foldid"].split(), dtype=np.int64)
        np.testing.assert_array_equal(splitter.fold_ids(int(row["n"])), expected)


def test_folds_of_the_pancreas_cells(shared):
    expected = np.loadtxt(shared / "reference" / "r_pancreas" / "foldid.txt", dtype=np.int64)
    np.testing.assert_array_equal(RSampleKFold().fold_ids(738), expected)


@pytest.mark.parametrize("line", EXTRA.split("\n")[1:-1])
def test_other_seeds_and_sizes(line):
    sample_kind, seed, n, k, head, checksum = line.split()
    folds = RSampleKFold(int(k), int(seed), sample_kind).fold_ids(int(n))
    assert folds[:6].tolist() == [int(fold) for fold in head.split(",")]
    assert (folds * (np.arange(1, int(n) + 1) % 1009)).sum() == int(checksum)
