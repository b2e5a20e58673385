"""Test of files that a command will write."""

import os
from pathlib import Path

from ._folders import writing_problem
from ._out_folder import out_error


def check_out_file(out: Path, source: Path, overwrite: bool) -> None:
    """Raise a usage error if a file cannot be written, is the input, or must not be replaced.

    Parameters
    ----------
    out : Path
        A file that ``--out`` names.
    source : Path
        The input.
    overwrite : bool
        Whether an existing file may be replaced.
    """
    folder = out.absolute().parent
    if out.is_dir():
        raise out_error(f"'{out}' is a folder; name a file.")
    if out.exists() and source.exists() and os.path.samefile(out, source):
        raise out_error(f"'{out}' is the input; choose another name.")
    if out.exists() and not overwrite:
        raise out_error(f"'{out}' exists; choose another name, or add --overwrite.")
    if not folder.is_dir():
        raise out_error(f"there is no folder '{folder}'; create it first.")
    if problem := writing_problem(folder):
        raise out_error(f"cannot write to '{folder}' ({problem}); choose another folder.")
