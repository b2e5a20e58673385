"""Worker in glmstar's own environment: reads a problem, then fits the targets named on stdin."""

import os
import sys
import time

import numpy as np
from glmnet import GaussNet


def fit(X, y, splits, grid):
    """Return seconds, λ_min and λ_1se of one target."""
    model = GaussNet(lambda_values=grid)
    start = time.perf_counter()
    model.fit(X, y)
    _, path = model.cross_validation_path(X, y, cv=splits)
    seconds = time.perf_counter() - start
    rules = (path.index_best, path.index_1se)
    return seconds, *(float(rule["Mean Squared Error"]) for rule in rules)


def main():
    """Answer one line per target."""
    with np.load(sys.argv[1]) as arrays:
        X, Y, fold, grid = (arrays[name] for name in ("X", "Y", "fold", "grid"))
    os.unlink(sys.argv[1])
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    fit(X[:, :10], Y[:, 0].copy(), splits, grid)  # glmstar imports some modules in its first fit
    for line in sys.stdin:
        print("RESULT", *fit(X, Y[:, int(line)].copy(), splits, grid), flush=True)


if __name__ == "__main__":
    main()
