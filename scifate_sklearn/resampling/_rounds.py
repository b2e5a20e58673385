"""Rounds of a resampling, which resume from the checkpoint folder of the regressor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..files import Part, PartFolder, PartKind, archive
from ..fitting import FitParameters
from ..moments import Moments
from ..regressor import SciFateRegressor
from ._units import Rows

# Links of a round, and the number of problems that did not converge.
Result: TypeAlias = tuple[NDArray[Any], int]

PERMUTATIONS = PartKind(
    "permutations",
    "set of permutations",
    "links of a permutation",
    1,
    "This permutation is fitted again.",
)
HALVES = PartKind("halves", "set of halves", "links of a half", 1, "This half is fitted again.")


@dataclass(frozen=True)
class Rounds:
    """Results of numbered rounds, stored where there is a folder.

    Attributes
    ----------
    folder : PartFolder or None
    """

    folder: PartFolder | None

    def result(
        self, number: int, compute: Callable[[], Result], is_valid: Callable[[Any], bool]
    ) -> Result:
        """Return the result of a round: the stored one, or one that is computed and stored.

        Parameters
        ----------
        number : int
            From 0.
        compute : callable
        is_valid : callable
            Whether an array can be the links of a round.
        """
        if self.folder is None:
            return compute()
        part = Part(f"round-{number:06}.npz", f"round {number}")
        try:
            arrays = self.folder.read(part)
            if arrays is not None:
                return _parse(arrays, is_valid, part.file)
        except ValueError as error:
            self.folder.warn_of_damage(error)
        links, n_unconverged = compute()
        self.folder.write(part, {"links": links, "n_unconverged": np.array(n_unconverged)})
        return links, n_unconverged


def rounds_folder(
    kind: PartKind,
    regressor: SciFateRegressor,
    moments: Moments,
    random_state: Any,
    others: dict[str, Any],
) -> AbstractContextManager[PartFolder | None]:
    """Return the context of the folder for rounds, of None if they are not stored.

    Rounds of ``random_state=None`` are not stored: they could never be repeated.

    Parameters
    ----------
    kind : PartKind
    regressor : SciFateRegressor
        Its data were read.
    moments : Moments
        Of all cells.
    random_state : int, RandomState or None
        Before the first round is drawn.
    others : dict
        What determines the rounds besides the fit and the seed.
    """
    if regressor.checkpoint is None or random_state is None:
        return nullcontext()
    identity = FitParameters.from_estimator(regressor).identity(moments)
    own = {**identity, "`random_state`": _seed(random_state), **others}
    return PartFolder(regressor.checkpoint, kind, own)


def units_checksum(units: Rows | list[Rows]) -> str:
    """Return the checksum of the rows of each unit or stratum."""
    rows = units if isinstance(units, list) else [units]
    sizes = np.array([len(own) for own in rows])
    return archive.checksum({"rows": np.concatenate(rows), "sizes": sizes})


def _seed(random_state: Any) -> int | str:
    """Return the seed, or the checksum of the state of a generator."""
    if isinstance(random_state, Integral):
        return int(random_state)
    state = random_state.get_state(legacy=False)
    values = {**state, **state["state"], "state": ""}
    arrays = {
        name: value if isinstance(value, np.ndarray) else np.array(str(value))
        for name, value in values.items()
    }
    return archive.checksum(arrays)


def _parse(arrays: dict[str, NDArray[Any]], is_valid: Callable[[Any], bool], name: str) -> Result:
    if set(arrays) != {"links", "n_unconverged"} or not is_valid(arrays["links"]):
        raise ValueError(f"{name} holds no links of a round.")
    return arrays["links"], int(arrays["n_unconverged"])
