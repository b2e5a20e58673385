"""The tables of a run and its ``run.json``, from memory or from the folder of the run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..files import prefix_errors, read_text
from ..links import check_links, read_links, read_table
from ..names import as_flags

# The tables of a run with links; ledger has all links of the others.
LINK_TABLES = ("ledger", "links", "links_filtered")
# Further tables of a run.
OTHER_TABLES = ("targets", "enrichment", "motif_enrichment")
# Entries of run.json that hold counts of steps, or steps of each group.
_MAPPINGS = ("versions", "parameters", "inputs", "steps", "groups", "skipped_groups", "seconds")
_COUNTS = ("before", "kept", "dropped")


@dataclass(frozen=True)
class RunResults:
    """Results of one run.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        By the name of their file, without ``.csv``.
    run : mapping of str to object
        Content of ``run.json``; empty if there is none.
    """

    tables: Mapping[str, pd.DataFrame]
    run: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_any(cls, results: object, run: Mapping[str, Any] | None) -> RunResults:
        """Take a links table, tables by name, or the folder of a run.

        Raises
        ------
        TypeError, ValueError, OSError
            If there is no links table, or a file of the folder cannot be used.
        """
        if isinstance(results, pd.DataFrame):
            results = {"links": results}
        if isinstance(results, str | os.PathLike):
            found = cls.from_folder(Path(results))
            return found if run is None else cls(found.tables, checked_run(run, "`run`"))
        if not isinstance(results, Mapping):
            raise TypeError(
                "`results` must be the folder of a run, a links table, or tables by name; got "
                f"{type(results).__name__}."
            )
        own = {str(name): _as_table(name, table) for name, table in results.items()}
        _check_links(own, "`results`")
        return cls(own, {} if run is None else checked_run(run, "`run`"))

    @classmethod
    def from_folder(cls, folder: Path) -> RunResults:
        """Read the tables and ``run.json`` of a run; only the links are required.

        Raises
        ------
        OSError, ValueError
            If there are no links, or a file is damaged; the message names it.
        """
        if not folder.is_dir():
            raise NotADirectoryError(f"'{folder}' is no folder of a run.")
        paths = {name: folder / f"{name}.csv" for name in (*LINK_TABLES, *OTHER_TABLES)}
        read = {**dict.fromkeys(LINK_TABLES, _read), **dict.fromkeys(OTHER_TABLES, read_table)}
        tables = {name: read[name](path) for name, path in paths.items() if path.exists()}
        _check_links(tables, f"'{folder}'")
        return cls(tables, _read_run(folder / "run.json"))

    @property
    def links(self) -> pd.DataFrame:
        """All links, with the evidence on them if they were tested."""
        return next(self.tables[name] for name in LINK_TABLES if name in self.tables)

    @property
    def others(self) -> dict[str, pd.DataFrame]:
        """The tables that have no links."""
        return {name: table for name, table in self.tables.items() if name not in LINK_TABLES}


def _as_table(name: object, table: object) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"`results`: {name!r} must be a DataFrame, got {type(table).__name__}.")
    if name in LINK_TABLES:
        return _plain(check_links(table, f"write_report ({name})"))
    return table


def _read(path: Path) -> pd.DataFrame:
    with prefix_errors(path):
        return _plain(read_links(path))


def _plain(links: pd.DataFrame) -> pd.DataFrame:
    """Return links with names as text, and ``kept`` as flags, which are false where unknown."""
    names = links.columns.intersection(["group", "TF", "target"])
    plain: dict[str, Any] = {
        name: links[name].astype(object).where(links[name].isna(), links[name].astype(str))
        for name in names
    }
    if "kept" in links.columns:
        kept = links["kept"].astype(object)
        plain["kept"] = as_flags(kept.where(kept.notna(), 0))
    return links.assign(**plain)


def _check_links(tables: Mapping[str, pd.DataFrame], where: str) -> None:
    if not set(LINK_TABLES) & set(tables):
        raise ValueError(
            f"{where}: there is no links table ({', '.join(LINK_TABLES)}); give the results of "
            "scifate run, or a links table."
        )


def _read_run(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        return checked_run(json.loads(read_text(path)), f"'{path}'")
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"'{path}' is no JSON: {error}.") from error


def run_inputs(folder: Path) -> list[Path]:
    """Return the files and folders that ``run.json`` of a folder names as inputs.

    Parameters
    ----------
    folder : Path
        Folder of results.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If ``run.json`` is damaged.
    """
    inputs = _read_run(folder / "run.json").get("inputs", {})
    paths = [each.get("path") for each in inputs.values()]
    return [Path(path) for path in paths if path and isinstance(path, str)]


def checked_run(run: Any, where: str) -> Mapping[str, Any]:
    """Return the content of ``run.json`` if it has the shape that `scifate run` writes.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    is_valid = (
        isinstance(run, Mapping)
        and all(isinstance(run.get(name, {}), Mapping) for name in _MAPPINGS)
        and all(isinstance(each, Mapping) for each in run.get("inputs", {}).values())
        and isinstance(run.get("warnings", []), list)
        and all(map(_is_steps, [run.get("steps", {}), *run.get("groups", {}).values()]))
    )
    if not is_valid:
        raise ValueError(f"{where} does not have the content that scifate run writes to run.json.")
    return run


def _is_steps(steps: Any) -> bool:
    return isinstance(steps, Mapping) and all(
        isinstance(step, Mapping) and all(type(step.get(name)) is int for name in _COUNTS)
        for step in steps.values()
    )
