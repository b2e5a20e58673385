"""All pairs of a TF and a target, as a links table."""

import numpy as np
import pandas as pd

from ._states import CellStates


def all_pairs(states: CellStates) -> pd.DataFrame:
    """Return a links table with every pair of a TF and another gene, each with the coefficient 0.

    `RDIScorer` can then find links that a linear regression cannot, such as those in which a TF
    activates at a medium level only.

    Parameters
    ----------
    states : CellStates

    Returns
    -------
    DataFrame
        ``TF``, ``target`` and ``coef``, in the order of the TFs, then of the targets.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from scifate_sklearn.causality import CellStates, all_pairs
    >>> tfs = pd.DataFrame(np.eye(3), columns=["Pax6", "Sox2", "Myc"])
    >>> genes = pd.DataFrame(np.eye(3)[:, :2], columns=["Pax6", "Neurog3"])
    >>> all_pairs(CellStates(tfs, genes, genes))["target"].tolist()
    ['Neurog3', 'Pax6', 'Neurog3', 'Pax6', 'Neurog3']
    """
    tfs, targets = states.tf_names, states.target_names
    pairs = pd.DataFrame(
        {
            "TF": np.repeat(tfs.to_numpy(), len(targets)),
            "target": np.tile(targets.to_numpy(), len(tfs)),
            "coef": 0.0,
        }
    )
    return pairs[pairs["TF"] != pairs["target"]].reset_index(drop=True)
