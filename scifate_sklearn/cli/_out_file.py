"""Test of files that a command will write."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ._folders import writing_problem
from ._out_folder import RUN, out_error, result_files


def check_out_file(
    out: Path, source: Path, overwrite: bool, *, may_be: str = "", inputs: Iterable[Path] = ()
) -> None:
    """Raise a usage error if a file cannot be written, is an input, or must not be replaced.

    Results of a run must not be replaced: they belong together.

    Parameters
    ----------
    out : Path
        A file that ``--out`` names.
    source : Path
        The input.
    overwrite : bool
        Whether an existing file may be replaced.
    may_be : str, default=""
        Name of the only result of a run that may be written.
    inputs : iterable of Path, default=()
        Further files and folders of which no file must be replaced.
    """
    _check_no_result(out, may_be)
    folder = out.absolute().parent
    if out.is_dir():
        raise out_error(f"'{out}' is a folder; name a file.")
    if out.exists() and (_is_same(out, source) or any(_is_within(out, path) for path in inputs)):
        raise out_error(f"'{out}' is the input; choose another name.")
    if out.exists() and not overwrite:
        raise out_error(f"'{out}' exists; choose another name, or add --overwrite.")
    if not folder.is_dir():
        raise out_error(f"there is no folder '{folder}'; create it first.")
    if problem := writing_problem(folder):
        raise out_error(f"cannot write to '{folder}' ({problem}); choose another folder.")


def _check_no_result(out: Path, may_be: str) -> None:
    """Raise a usage error if a file would be, or replace, one of the results of a run."""
    for place in (out.absolute(), Path(os.path.realpath(out))):
        is_result = place.name in result_files() and (place.parent / RUN).exists()
        if is_result and place.name != may_be:
            raise out_error(
                f"'{out}' has the name of a result of scifate run in its folder; choose another "
                "name."
            )


def _is_within(out: Path, path: Path) -> bool:
    """Return whether a file is another one, or in a folder."""
    with suppress(ValueError):  # a name that no file can have
        return _is_same(out, path) or Path(os.path.realpath(out)).is_relative_to(
            os.path.realpath(path)
        )
    return False


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # one does not exist
        return os.path.samefile(one, other)
    return False
