"""Time MultiOutputLassoCV beside one LassoCV(precompute=True) per output.

    python benchmarks/multi_output.py --n 4000 --p 400 --q 256 --threads 1 --json multi_output.json

Both fit the same outputs in the same process. The rival is timed on a few outputs and multiplied up
to all of them. Its tolerance is its default, 1e-4 of the squares; ours is 1e-12.
"""

from __future__ import annotations

import argparse
from typing import Any

import report


def make_data(n: int, p: int, q: int) -> tuple[Any, Any]:
    """Return correlated features, and outputs that depend on 3 % of them."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = 0.5 * rng.normal(size=(n, 20)) @ rng.normal(size=(20, p)) + rng.normal(size=(n, p))
    truth = rng.normal(size=(p, q)) * (rng.random((p, q)) < 0.03)
    return X, X @ truth + 3.0 * rng.normal(size=(n, q))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Time both, and compare their models."""
    import numpy as np
    from sklearn.linear_model import LassoCV

    from scifate_sklearn import MultiOutputLassoCV

    X, Y = make_data(options.n, options.p, options.q)
    ours = MultiOutputLassoCV(n_jobs=options.threads)
    ours.fit(X[:50], Y[:50, :2])  # compile
    own = report.seconds(lambda: ours.fit(X, Y))
    rivals = [
        LassoCV(precompute=True, n_jobs=options.threads) for _ in range(options.rival_outputs)
    ]
    theirs = sum(report.seconds(lambda t=t, m=m: m.fit(X, Y[:, t])) for t, m in enumerate(rivals))
    theirs *= options.q / len(rivals)
    return {
        "MultiOutputLassoCV, seconds": own,
        "LassoCV for each output, seconds": theirs,
        "ratio": theirs / own,
        "largest difference of coefficients": max(
            float(np.abs(m.coef_ - ours.coef_[t]).max()) for t, m in enumerate(rivals)
        ),
        "same penalty": sum(
            bool(np.isclose(m.alpha_, ours.alpha_[t], rtol=1e-9)) for t, m in enumerate(rivals)
        )
        / len(rivals),
    }


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--p", type=int, default=400)
    parser.add_argument("--q", type=int, default=256)
    parser.add_argument("--rival-outputs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    report.use_threads(options.threads)
    result, machine = measure(options), report.machine()
    rows = [[name, f"{value:.4g}"] for name, value in result.items()]
    print(report.describe(machine), report.table(["", "value"], rows), sep="\n\n")
    report.save_json(options.json, {"machine": machine, "options": vars(options), **result})


if __name__ == "__main__":
    main()
