"""Results of a run in which every name is hostile to a page."""

from typing import Any

import numpy as np
import pandas as pd

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script>"
NAMES = (
    *(IMAGE, SCRIPT, "a\u202eb\"'&amp;<!--", r"$$\alpha$$", "{{ 7*7 }}", "@name{safe}"),
    *("__bkdt_internal_index__", "x\u2028y\ud800\n\0"),
)


def hostile_links() -> pd.DataFrame:
    """Return links of two groups."""
    n = 2 * len(NAMES)
    return pd.DataFrame(
        {
            "group": [NAMES[k // len(NAMES)] for k in range(n)],
            "TF": [NAMES[k % len(NAMES)] for k in range(n)],
            "target": [f"{NAMES[(3 * k + 1) % len(NAMES)]}{k}" for k in range(n)],
            "coef": np.linspace(-0.5, 0.6, n),
            f"<b>col</b>{IMAGE}": NAMES * 2,
            "__bkdt_internal_index__": np.arange(n),
            "kept": [True, False] * (n // 2),
        }
    )


def hostile_run() -> dict[str, Any]:
    """Return the content of a ``run.json``."""
    step = {"before": 5, "kept": 2, "dropped": 3}
    return {
        "versions": {IMAGE: SCRIPT, "items": "x"},
        "started": IMAGE,
        "parameters": {"cells": IMAGE, "new": SCRIPT, "lambda_rule": "{{ 7*7 }}", "by": IMAGE},
        "inputs": {IMAGE: {"path": SCRIPT, "size": IMAGE, "sha256": IMAGE}},
        "steps": {IMAGE: step},
        "groups": {IMAGE: {"cells": step, SCRIPT: step}},
        "skipped_groups": {SCRIPT: IMAGE},
        "warnings": [f"{IMAGE}. {SCRIPT}", 7],
    }
