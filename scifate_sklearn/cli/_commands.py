"""Commands whose options are the fields of a dataclass."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from ..filters.evidence import AUTO
from ._evidence_kinds import evidence_kinds
from ._ranges import NumberRange

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")

_NUMBER = re.compile(r"_\d+$")
# Fields of inputs that are given without an option.
_ARGUMENTS = ("cells", "results")

# Settings of an option that are not Typer's.
_OURS = ("is_recorded", "arguments", "excludes", "min", "max", "below", "fetched")


def command_from(options: type[Options], run: Callable[[Options], None]) -> Callable[..., None]:
    """Return a command for Typer.

    Parameters
    ----------
    options : dataclass
        Its fields, made by `scifate_sklearn.filters.evidence.option`, are the options. The place of
        a field ``evidence`` is taken by the options of all kinds of evidence.
    run : callable
        Function that takes an instance of `options`.

    Returns
    -------
    callable
    """

    def command(**values: Any) -> None:
        _check_needs(options, values)
        run(_build(options, values))

    signature = [_parameter(each, kind) for each, kind in _option_fields(options)]
    command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    return command


def option_values(options: DataclassInstance) -> Iterator[tuple[Field[Any], Any]]:
    """Yield each option and its value, in the order of the help."""
    for each in fields(options):
        value = getattr(options, each.name)
        if each.name == "evidence":
            for kind in value:
                yield from option_values(kind)
        else:
            yield each, value


def _option_fields(options: type[DataclassInstance]) -> Iterator[tuple[Field[Any], Any]]:
    """Yield each option and its type, in the order of the help."""
    hints = get_type_hints(options)
    for each in fields(options):
        if each.name == "evidence":
            for kind in evidence_kinds():
                yield from _option_fields(kind)
        else:
            yield each, hints[each.name]


def _build(options: type[Options], values: dict[str, Any]) -> Options:
    own = {each.name: values.get(each.name) for each in fields(options)}
    if "evidence" in own:
        own["evidence"] = tuple(_build(kind, values) for kind in evidence_kinds())
    return options(**own)


def options_of_arguments(options: type[DataclassInstance]) -> dict[str, list[str]]:
    """Return the fields whose options set each argument of the Python functions."""
    found: dict[str, list[str]] = {}
    for each, _ in _option_fields(options):
        for argument in each.metadata["settings"].get("arguments", (each.name,)):
            found.setdefault(argument, []).append(each.name)
    return found


def _parameter(each: Field[Any], kind: Any) -> inspect.Parameter:
    settings = {key: v for key, v in each.metadata["settings"].items() if key not in _OURS}
    flag = flag_of(each.name)
    if number_range := NumberRange.from_settings(each.metadata["settings"]):
        settings["help"] = number_range.describe(settings["help"])
        settings["callback"] = number_range.check
    if "fetched" in each.metadata["settings"]:
        settings |= {"parser": file_or_auto, "metavar": "<file>"}
    if settings.pop("is_argument", False):
        declared = typer.Argument(**settings)
    elif kind is bool or "short" in settings:
        # Without the names, Typer would add --no-strict to --strict.
        short = settings.pop("short", None)
        declared = typer.Option(flag, *filter(None, [short]), **settings)
    else:
        declared = typer.Option(**settings)
    return inspect.Parameter(
        each.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if each.default is MISSING else each.default,
        annotation=Annotated[kind, declared],
    )


def _check_needs(options: type[DataclassInstance], values: dict[str, Any]) -> None:
    """Raise a usage error if an option is given without the one it needs, or with a rival."""
    for each, _ in _option_fields(options):
        rivals = each.metadata["settings"].get("excludes", ())
        if values[each.name] and (given := [name for name in rivals if values[name]]):
            raise typer.BadParameter(
                f"cannot be combined with {flag_of(given[0])}; give one of them.",
                param_hint=flag_of(each.name),
            )
        needed = each.metadata["needs"]
        if is_auto(values[each.name]):  # what it needs is fetched, too
            continue
        if needed and values[each.name] not in (each.default, []) and not values[needed]:
            raise typer.BadParameter(
                f"requires {flag_of(needed)} too.", param_hint=flag_of(each.name)
            )


def file_or_auto(text: str) -> Path:
    """Return the path of a file that can be read, or `AUTO`; otherwise raise a usage error."""
    path = Path(text)
    if path == AUTO:
        return path
    problem = "does not exist"
    if path.exists():
        problem = "is a directory" if path.is_dir() else "is not readable"
        if not path.is_dir() and os.access(path, os.R_OK):
            return path
    raise typer.BadParameter(f"File '{text}' {problem}.")


def is_auto(value: object) -> bool:
    """Return whether `AUTO` is given, also among others."""
    return AUTO in (value if isinstance(value, list) else [value])


def label_of(name: str) -> str:
    """Return an option as the usage line shows it; that of the second file of an option too.

    >>> label_of("motifs_2")
    '--motifs'
    """
    return name.upper() if name in _ARGUMENTS else flag_of(_NUMBER.sub("", name))


def flag_of(name: str) -> str:
    """Return the option of a field as the user writes it.

    >>> flag_of("min_overlap")
    '--min-overlap'
    """
    return "--" + name.replace("_", "-")


def evidence_flags() -> list[str]:
    """Return the options that turn on each kind of evidence."""
    return [flag_of(kind.main_option()) for kind in evidence_kinds()]


def evidence_table_names() -> list[str]:
    """Return the names of all tables that kinds of evidence write, without ``.csv``."""
    return [name for kind in evidence_kinds() for name in kind.table_names]
