"""Links tables of networks that are made up, to be drawn.

Modules that import this one are skipped where the extra ``plot`` is not installed.
"""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

# Not imported here: some of them change parameters of matplotlib when they are imported.
if missing := [m for m in ("matplotlib", "marsilea", "adjustText") if find_spec(m) is None]:
    pytest.skip(f"not installed (extra plot): {', '.join(missing)}", allow_module_level=True)


def random_links(n_tfs, n_targets, share=0.15, seed=0):
    """Return random links of TFs and targets."""
    rng = np.random.default_rng(seed)
    tf, target = np.nonzero(rng.random((n_tfs, n_targets)) < share)
    return pd.DataFrame(
        {
            "TF": [f"Tfap{i}" for i in tf],
            "target": [f"Gene{i}" for i in target],
            "coef": rng.laplace(scale=0.1, size=len(tf)),
        }
    )


def small_network():
    """Return eight links among four TFs and four other genes."""
    rows = [
        ("Pax6", "Isl1", 0.4), ("Isl1", "Pax6", 0.3), ("Pax6", "Ins1", 0.2), ("Pax6", "Ins2", -0.1),
        ("Isl1", "Gcg", -0.3), ("Nfib", "Gcg", 0.05), ("Nfib", "Sst", -0.25), ("Sox9", "Sst", 0.15),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["TF", "target", "coef"])
