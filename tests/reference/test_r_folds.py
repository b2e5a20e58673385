"""Comparison of RSampleKFold with R's ``set.seed(seed); sample(rep(seq(k), length = n))``."""

import csv
from pathlib import Path

import numpy as np
import pytest

from scifate_sklearn.preprocessing import RSampleKFold

# Results of R 4.2 for seeds and sizes that the shared reference does not have: head(f) and
# sum(f * (seq_along(f) %% 1009)). 65,536 samples need 16 bits, 70,000 need 17.
EXTRA = Path(__file__).with_name("r_folds_extra.csv")


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def fold_ids(row):
    splitter = RSampleKFold(int(row["k"]), int(row["seed"]), row["sample_kind"])
    return splitter.fold_ids(int(row["n"]))


def test_every_row_of_r_folds(shared):
    rows = read_rows(shared / "reference" / "r_folds" / "r_folds.csv")
    assert len(rows) == 48
    for row in rows:
        expected = np.array(row["foldid"].split(), dtype=np.int64)
        np.testing.assert_array_equal(fold_ids(row), expected)


def test_folds_of_the_pancreas_cells(shared):
    expected = np.loadtxt(shared / "reference" / "r_pancreas" / "foldid.txt", dtype=np.int64)
    np.testing.assert_array_equal(RSampleKFold().fold_ids(738), expected)


@pytest.mark.parametrize("row", read_rows(EXTRA), ids=lambda row: " ".join(list(row.values())[:3]))
def test_other_seeds_and_sizes(row):
    folds = fold_ids(row)
    assert folds[:6].tolist() == [int(fold) for fold in row["head"].split()]
    assert (folds * (np.arange(1, len(folds) + 1) % 1009)).sum() == int(row["checksum"])
