"""Declarations of kinds of evidence for the command line.

A kind of evidence is a frozen dataclass that derives from `EvidenceKind`. Its fields, made by
`option` or `input_file`, are the options that ``scifate run`` offers for it; an instance holds the
values of one run. Its methods read the reference, make the filter and return the tables to write.

``scifate --help`` imports the declarations: import pandas, scikit-learn and the filter inside the
methods, so that help stays quick.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from .base import LinkFilter

REQUIRED: Any = MISSING
# In place of a file: the public one of the species of the cells.
AUTO = Path("auto")


def option(default: Any = REQUIRED, *, help: str, needs: str | None = None, **settings: Any) -> Any:
    """Declare a dataclass field as an option of the command line.

    The name of the field is that of the option, ``min_overlap`` for ``--min-overlap``, and its
    annotation is the type. An option of type bool is a flag.

    Parameters
    ----------
    default : object, optional
        Value if the option is not given; an option without default is required.
    help : str
        Text for ``--help``.
    needs : str, optional
        Field of the option without which this one is a usage error.
    **settings
        ``min``, and ``max`` or ``below``, for numbers: the accepted range, which the help shows.
        ``arguments``: names of the Python arguments that the option sets, if not that of the field;
        messages then name the option. ``excludes``: fields whose options are a usage error beside
        this one. For paths, checks under the names that Typer uses: ``exists``, ``file_okay``,
        ``dir_okay`` and ``readable``; and ``fetched``, the kind of `datasets.fetch_reference` that
        the value `AUTO` stands for.

    Returns
    -------
    dataclasses.Field
    """
    return field(default=default, metadata={"needs": needs, "settings": {"help": help, **settings}})


def input_file(default: Any = None, *, help: str, needs: str | None = None, **settings: Any) -> Any:
    """Declare a dataclass field as an option that names a file to read.

    Parameters
    ----------
    default : None, optional
        None, or `REQUIRED` if the run cannot do without the file.
    help : str
        Text for ``--help``.
    needs : str, optional
        Field of the option without which this one is a usage error.
    **settings
        ``arguments`` and ``fetched``, as of `option`.

    Returns
    -------
    dataclasses.Field
    """
    checks = {"exists": True, "dir_okay": False, "readable": True}
    return option(default, help=help, needs=needs, **checks, **settings)


class Step(NamedTuple):
    """One line of the summary of a run, and one entry of ``steps`` in its report.

    Attributes
    ----------
    name : str
        Key in the report.
    label : str
        Text in the summary, at most 23 characters.
    before, kept : int
        How many there were, and how many of them were kept.
    """

    name: str
    label: str
    before: int
    kept: int


def suggest_lower_overlap(difference: str | None = None) -> str:
    """Return the last sentence of the message if too few names match.

    Parameters
    ----------
    difference : {"case", "versions"} or None, default=None
        Difference that keeps most names apart.

    Returns
    -------
    str
    """
    return "If a small overlap is expected, lower --min-overlap."


@dataclass(frozen=True)
class CellNames:
    """Names of the cells, for comparison with those of a reference.

    Attributes
    ----------
    by_role : mapping of str to Index of str
        Names of the TFs and of all genes, under ``"TF"`` and ``"target"``.
    min_overlap : float
        Value of ``--min-overlap``: least share of names in common, of the smaller side.
    """

    by_role: Mapping[str, pd.Index[str]]
    min_overlap: float

    def require(
        self,
        role: str,
        names: Collection[str],
        hint: Callable[[str | None], str] = suggest_lower_overlap,
    ) -> None:
        """Raise an error with examples and the likely cause if too few names match.

        Parameters
        ----------
        role : {"TF", "target"}
        names : collection of str
            Names in the reference.
        hint : callable, default=suggest_lower_overlap
            Function of the difference that keeps most names apart, which returns the end of the
            message.

        Raises
        ------
        ValueError
            If too few names match.
        """
        from ..names import require_overlap

        require_overlap(
            self.by_role[role],
            names,
            what=role,
            whose="the cells",
            min_share=self.min_overlap,
            hint=hint,
        )


@dataclass(frozen=True)
class FittedModel:
    """The parts of a fitted model that a filter may depend on.

    Attributes
    ----------
    tested_targets : ndarray of str of shape (n_targets,)
        Targets of the regression, with and without links.
    coef_threshold : float
        Value of ``--coef-threshold``.
    """

    tested_targets: Any
    coef_threshold: float


@dataclass(frozen=True)
class EvidenceKind(ABC):
    """A kind of evidence on the command line.

    Attributes
    ----------
    name : str
        Name of the filter in the union of all filters: reasons in ``ledger.csv`` begin with it.
    table_names : tuple of str
        Names of the tables that `tables` returns, without ``.csv``.
    """

    name: ClassVar[str]
    table_names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def main_option(cls) -> str:
        """Return the field of the option that turns this kind of evidence on: the first one."""
        return fields(cls)[0].name

    @property
    def is_given(self) -> bool:
        """Whether the user has turned this kind of evidence on."""
        # Options that may be repeated have an empty list.
        return getattr(self, self.main_option()) not in (None, [], ())

    @abstractmethod
    def read(self, cells: CellNames) -> Any:
        """Read the reference and compare its names with those of the cells, before the fit.

        Parameters
        ----------
        cells : CellNames

        Returns
        -------
        object
            The reference, as `make_filter` takes it.

        Raises
        ------
        ValueError
            If a file cannot be used or too few names match. Within `naming`, the message begins
            with the option and the file.
        """

    @abstractmethod
    def make_filter(self, reference: Any, model: FittedModel) -> LinkFilter:
        """Return the unfitted filter.

        Names were compared by `read`. The filter must not raise where few of the links' names
        are in the reference: the results of the regression would be lost.

        Parameters
        ----------
        reference : object
            Result of `read`.
        model : FittedModel

        Returns
        -------
        LinkFilter
        """

    def tables(self, fitted: Any) -> dict[str, pd.DataFrame]:
        """Return the tables to write, by the names in `table_names`.

        Parameters
        ----------
        fitted : LinkFilter
            The fitted filter.

        Returns
        -------
        dict of str to DataFrame
        """
        return {}

    def steps_of_reading(self, reference: Any) -> list[Step]:
        """Return counts of the reference, as `read` returned it, for the summary and the report."""
        return []

    def steps(self, fitted: Any) -> list[Step]:
        """Return counts of the fitted filter for the summary and the report of the run."""
        return []


@contextmanager
def naming(option: str, path: Path | None) -> Iterator[None]:
    """Put the option and its file in front of an error, and advise on options.

    Parameters
    ----------
    option : str
        As the user writes it, such as ``--encode``.
    path : Path

    Yields
    ------
    None
    """
    from ..files import AdvisedError

    try:
        yield
    except AdvisedError as error:
        raise ValueError(f"{option} {path}: {_without_path(error.for_options(), path)}") from error
    except (ValueError, OSError, ImportError) as error:
        kind = next(k for k in (ValueError, ImportError, OSError) if isinstance(error, k))
        raise kind(f"{option} {path}: {_without_path(str(error), path)}") from error


def _without_path(message: str, path: Path | None) -> str:
    """Return a message without the path in front of it, which `naming` writes already."""
    return message.removeprefix(f"{path}: ").removeprefix(f"{path} ")
