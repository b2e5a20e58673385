"""Input files of a run: checked before they are read, described, and compared at the end."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import typer

from ._commands import label_of, option_values
from ._folders import writing_problem
from ._options import RunOptions
from ._out_folder import OutFolder, leftovers, out_error, result_files
from ._streams import unicode_problem

Description: TypeAlias = dict[str, str | int]

_DESCRIPTORS = ("/dev/fd/", "/dev/std", "/proc/")
_MEGABYTE = 1_000_000
# Estimates for tables: at the default penalty, few targets have more links.
_LINKS_PER_TARGET = 20
_BYTES_PER_ROW = 80
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def check_paths(options: RunOptions) -> None:
    """Raise a usage error for paths that cannot be read or written, or that overlap."""
    for name, value in _all_values(options).items():
        text = os.path.realpath(value) if isinstance(value, Path) else str(value)
        if problem := unicode_problem(text):
            raise _error(name, problem)
    if options.gene_names and options.gene_symbols:
        raise _error("gene_names", "cannot be given together with --gene-symbols; leave out one.")
    inputs = _input_paths(options)
    for name, path in inputs.items():
        check_kind(name, path)
        _check_overlap(name, path, options)
    _check_checkpoint(options)


def check_space(options: RunOptions, n_targets: int = 0, n_tfs: int = 0) -> None:
    """Raise a usage error if the output folder has no space for the results.

    Parameters
    ----------
    options : RunOptions
    n_targets, n_tfs : int, default=0
        Numbers of genes in the fit, for an estimate of the tables.
    """
    needed = _MEGABYTE + _table_size(options, n_targets, n_tfs)
    needed += 0 if options.no_annotated else _size(options.cells)
    try:
        free = shutil.disk_usage(options.out).free
    except FileNotFoundError as error:
        raise _out_is_gone(options) from error
    if needed > free:
        raise out_error(
            f"'{options.out}' has {free / _MEGABYTE:,.1f} MB of free space, but the results need "
            f"about {needed / _MEGABYTE:,.1f} MB; choose another folder{_smaller(options)}."
        )


def _table_size(options: RunOptions, n_targets: int, n_tfs: int) -> int:
    n_links = n_targets * min(n_tfs, _LINKS_PER_TARGET)
    # With evidence, the ledger has all links again, with more columns.
    n_rows = n_targets + n_links * (3 if any(kind.is_given for kind in options.evidence) else 1)
    return n_rows * _BYTES_PER_ROW * (1 if options.no_annotated else 2)


def _out_is_gone(options: RunOptions) -> OSError:
    return OSError(
        f"--out: '{options.out}' was removed, moved or emptied during the run, so no results were "
        "written; leave it there, and run again."
    )


def _smaller(options: RunOptions) -> str:
    return "" if options.no_annotated else ", or add --no-annotated"


@contextmanager
def naming_out(options: RunOptions, folder: OutFolder) -> Iterator[None]:
    """Name the output folder in errors if it is gone, or its file system becomes full."""
    try:
        yield
    except Exception as error:  # h5py and zarr raise errors of many types
        if not folder.staging.is_dir():
            raise _out_is_gone(options) from error
        is_full = getattr(error, "errno", None) in _FULL or any(
            os.strerror(number) in str(error) for number in _FULL
        )
        if not is_full:
            raise
        needed = sum(path.lstat().st_size for path in options.out.rglob("*"))
        raise OSError(
            f"--out: No space left in '{options.out}' for the results, which need more than "
            f"{needed / _MEGABYTE:,.1f} MB. Nothing was written; choose another folder"
            f"{_smaller(options)}."
        ) from error


@dataclass(frozen=True)
class Inputs:
    """Input files of a run.

    Attributes
    ----------
    described : dict of dict
        ``path``, ``size`` and ``sha256`` of each file, by the name of its option.
    check : callable
        Raises OSError if a file is not the same any more.
    """

    described: dict[str, Description]
    check: Callable[[], None]


@contextmanager
def unchanged_inputs(options: RunOptions) -> Iterator[Inputs]:
    """Describe the input files, and check after the block that they are the same.

    Parameters
    ----------
    options : RunOptions

    Yields
    ------
    Inputs

    Raises
    ------
    OSError
        If an input was changed, replaced or removed during the block, also if the block failed.
    """
    paths = _input_paths(options)
    before = {name: _Content.from_path(path) for name, path in paths.items()}
    described = {name: describe_file(path) for name, path in paths.items()}

    def check() -> None:
        for name, path in paths.items():
            if not before[name].is_still(path, described[name]):
                raise OSError(
                    f"{label_of(name)}: '{path}' was changed, replaced or removed during the run, "
                    "so it is unknown which content the results are from. No results were written; "
                    "run again."
                )

    try:
        yield Inputs(described, check)
    except Exception:
        check()
        raise
    check()


def describe_file(path: Path) -> Description:
    """Return path, size in bytes and SHA256 of a file or a zarr folder."""
    if path.is_dir():
        digest = hashlib.sha256()
        for file in _files(path):
            name = os.fsencode(file.relative_to(path).as_posix())
            digest.update(name + f" {_sha256(file)}\n".encode())
        sha256 = digest.hexdigest()
    else:
        sha256 = _sha256(path)
    return {"path": str(path.resolve()), "size": _size(path), "sha256": sha256}


class _Content:
    """State of a file, or of all files of a folder, as the file system reports it."""

    def __init__(self, stamps: dict[Path, tuple[int, int, int]], changed: dict[Path, int]) -> None:
        self.stamps = stamps
        self.changed = changed

    @classmethod
    def from_path(cls, path: Path) -> _Content:
        states = {file: file.stat() for file in _files(path)}
        stamps = {file: (s.st_ino, s.st_size, s.st_mtime_ns) for file, s in states.items()}
        return cls(stamps, {file: s.st_ctime_ns for file, s in states.items()})

    def is_still(self, path: Path, described: Description) -> bool:
        """Return whether the content is the same."""
        try:
            now = _Content.from_path(path)
            if now.stamps != self.stamps:
                return False
            # Permissions or links were changed, or the content and then its time of change.
            return now.changed == self.changed or describe_file(path) == described
        except (OSError, ValueError):  # removed, or replaced by a link
            return False


def _files(path: Path) -> list[Path]:
    """Return a file, or all files of a folder; links in a folder are not followed."""
    if not path.is_dir():
        return [path]
    entries = sorted(path.rglob("*"))
    for entry in entries:
        if entry.is_symlink():
            raise ValueError(
                f"'{path}': {entry.relative_to(path)} is a symbolic link. Only data inside the "
                "folder that was given are read; write the cells again with anndata."
            )
    return [entry for entry in entries if entry.is_file()]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _all_values(options: RunOptions) -> dict[str, object]:
    found = ((each.name, value) for each, value in option_values(options) if value is not None)
    return dict(pair for name, value in found for pair in _one_by_one(name, value))


def _one_by_one(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the value of an option; of one that is repeated all values, the first unnumbered."""
    values = value if isinstance(value, list) else [value]
    for i, each in enumerate(values, start=1):
        yield f"{name}_{i}" if i > 1 else name, each


def _input_paths(options: RunOptions) -> dict[str, Path]:
    """Return the files that are read, by the name of their option."""
    return {
        name: path
        for each, value in option_values(options)
        if each.metadata["settings"].get("exists") and value is not None
        for name, path in _one_by_one(each.name, value)
    }


def check_kind(name: str, path: Path) -> None:
    """Raise a usage error for a pipe or a device, also within a folder."""
    is_descriptor = os.path.abspath(path).startswith(_DESCRIPTORS)
    if is_descriptor or not _is_stored(path):
        problem = (
            f"'{path}' is a pipe or a device; write its content to a file, and give that file."
        )
        raise _error(name, problem)
    for each in path.rglob("*") if path.is_dir() else ():
        if not _is_stored(each):
            problem = f"'{each}' is a pipe, a device or a broken link; remove it."
            raise _error(name, problem)


def _is_stored(path: Path) -> bool:
    return path.is_file() or path.is_dir()


def _check_overlap(name: str, path: Path, options: RunOptions) -> None:
    """Raise a usage error if an input is, contains or is within something that is written."""
    for result in result_files():
        if _is_within(path, options.out / result):
            raise _error(
                name,
                f"'{path}' is the result file {result} of --out '{options.out}', or within it, and "
                "would be replaced; move it, or choose another --out.",
            )
    for left in leftovers(options.out):
        if _is_within(path, options.out / left):
            raise _error(
                name,
                f"'{path}' is {left}, which a killed run left in --out '{options.out}', or within "
                "it, and would be removed; move it, or choose another --out.",
            )
    if _is_within(options.out, path):
        problem = (
            f"'{options.out}' is {label_of(name)} '{path}', or within it; choose another folder."
        )
        raise out_error(problem)


def _check_checkpoint(options: RunOptions) -> None:
    """Raise a usage error if the checkpoint cannot be written, or overlaps with other files."""
    checkpoint = options.checkpoint
    if checkpoint is None:
        return
    if problem := writing_problem(checkpoint.absolute()):
        problem = f"cannot write to '{checkpoint}' ({problem}); choose another folder."
        raise _error("checkpoint", problem)
    written = [*result_files(), *leftovers(options.out)]
    results = {f"{name} of --out": options.out / name for name in written}
    inputs = {label_of(name): path for name, path in _input_paths(options).items()}
    for label, path in {**results, **inputs}.items():
        if _is_within(checkpoint, path) or (label in inputs and _is_within(path, checkpoint)):
            raise _error(
                "checkpoint",
                f"'{checkpoint}' and {label} ('{path}') are the same, or one is within the other; "
                "choose another folder.",
            )


def _is_within(path: Path, folder: Path) -> bool:
    """Return whether `path` is `folder`, or within it, by whatever names and links."""
    real = _resolve(path)
    parts = (path, real, *real.parents)
    return not _identities(folder).isdisjoint(each for part in parts for each in _identities(part))


def _identities(path: Path) -> set[Path | tuple[int, int]]:
    """Return the path without links and, if it exists, device and inode."""
    try:
        state = path.stat()
    except (OSError, RuntimeError):  # no such file, or a loop of links
        return {_resolve(path)}
    return {_resolve(path), (state.st_dev, state.st_ino)}


def _resolve(path: Path) -> Path:
    return Path(os.path.realpath(path))  # in a loop of links, Path.resolve raises an error


def _error(name: str, problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint=label_of(name))
