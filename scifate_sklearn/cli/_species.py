"""Public references of the species of the cells, in place of files."""

from __future__ import annotations

from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..filters.evidence import AUTO
from ._commands import is_auto, label_of
from ._console import is_interactive

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from ._options import RunOptions


def with_references(options: RunOptions) -> RunOptions:
    """Return the options with the paths of fetched files where `AUTO` is given.

    The list of TFs is fetched if none is given. Files are downloaded once to the cache.

    Raises
    ------
    typer.BadParameter
        If a species is required.
    OSError, ValueError
        If a file cannot be downloaded, or is not known; the message says what to give instead.
    """
    wanted = replace(options, tfs=options.tfs or AUTO)
    found = _fetched(wanted, wanted)
    return replace(found, evidence=tuple(_fetched(kind, wanted) for kind in options.evidence))


def _fetched(declared: Any, options: RunOptions) -> Any:
    """Return options, or a kind of evidence, with the paths of what is fetched."""
    changes: dict[str, Any] = {}
    for each in _automatic(declared):
        path = _fetch(each.name, _kind(each), options)
        values = getattr(declared, each.name) or [AUTO]
        is_list = str(each.type).startswith("list")
        changes[each.name] = [path if it == AUTO else it for it in values] if is_list else path
    return replace(declared, **changes)


def _automatic(declared: DataclassInstance) -> list[Field[Any]]:
    """Return the options whose file is to be fetched, with those that they need."""
    given = {each.name: each for each in fields(declared) if _kind(each)}
    found = [each for each in given.values() if is_auto(getattr(declared, each.name))]
    needed = (given.get(each.metadata["needs"]) for each in found)
    more = [each for each in needed if each is not None and not getattr(declared, each.name)]
    return [*found, *more]


def _kind(each: Field[Any]) -> Any:
    return each.metadata.get("settings", {}).get("fetched")


def _fetch(name: str, kind: Any, options: RunOptions) -> Path:
    if options.species is None:
        problem = "give a file with the names of the TFs, or --species for a public list."
        if name != "tfs":
            problem = "'auto' requires --species; a file called auto is ./auto."
        raise typer.BadParameter(problem, param_hint=label_of(name))
    from ..datasets import fetch_reference
    from ..files import AdvisedError

    try:
        return fetch_reference(
            kind, options.species, progressbar=not options.quiet and is_interactive()
        )
    except AdvisedError as error:
        raise ValueError(f"{label_of(name)}: {error.for_options()}") from error
    except OSError as error:
        raise OSError(f"{label_of(name)}: {error}") from error
