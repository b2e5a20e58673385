"""Messages of the library in the words of the command line: options instead of arguments."""

from __future__ import annotations

import re
from functools import cache

from ._commands import label_of, options_of_arguments
from ._options import LAYERS, ConvertOptions, RunOptions
from ._result_options import ExportOptions

# Values of arguments that have an option of their own.
PHRASES = {f"`{name}='auto'`": "--layers auto" for name in LAYERS}

# Arguments of what the commands call that have no option; messages may advise to change them.
PYTHON_ONLY = (
    "alpha",
    "alternative",
    "auc_fraction",
    "chunk_size",
    "coef_thresholds",
    "column",
    "confidence",
    "cor_threshold",
    "direction",
    "engine",
    "exclude_self",
    "fit_intercept",
    "genes",
    "harmonize",
    "lambdas",
    "like",
    "max_iter",
    "method",
    "min_support",
    "min_targets",
    "n_ranked",
    "n_splits",
    "nes_threshold",
    "penalty_factor",
    "sample_weight",
    "standardize",
    "tol",
    "verbose",
)


def in_options(message: object) -> str:
    """Return a message with the options in place of the arguments of Python functions.

    Parameters
    ----------
    message : object
        Error, warning or text. Arguments are in backticks, possibly with a value
        (```response='values'```) or an attribute (```adata.obs```). ``adata`` and names with an
        underscore are also found without backticks, except in quotation marks and paths.

    Returns
    -------
    str
    """
    return _pattern().sub(_replace, str(message))


@cache
def _words() -> dict[str, str]:
    """Return what replaces each argument."""
    options: dict[str, list[str]] = {}
    for command in (ExportOptions, ConvertOptions, RunOptions):
        options |= options_of_arguments(command)
    labels = {name: " or ".join(map(label_of, fields)) for name, fields in options.items()}
    return {name: f"{name} (Python only)" for name in PYTHON_ONLY} | labels


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(_words())
    bare = "|".join(name for name in _words() if "_" in name)
    return re.compile(
        rf"`(?P<name>{names})(?:=(?P<value>[^`]*)|\.(?P<part>\w+))?`"
        rf"|(?<![\w`'\"/.-])(?:(?P<bare>{bare})|adata(?:\.(?P<slot>obs|var))?)(?![\w`'\"/-]|\.\w)"
    )


def _replace(found: re.Match[str]) -> str:
    if phrase := PHRASES.get(found[0]):
        return phrase
    word = _words()[found["name"] or found["bare"] or "adata"]
    if part := found["part"] or found["slot"]:
        return f"{part} of {word}"
    if found["value"] is None:
        return word
    value = found["value"].strip("'\"")
    return f"{word} {value}" if word.startswith("--") else f"{found['name']}={value} (Python only)"
