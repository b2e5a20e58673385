"""Input files of a run: checked before they are read, described, and compared at the end."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import typer

from ._commands import label_of, option_values
from ._folders import writing_problem
from ._options import RunOptions
from ._out_folder import out_error, result_files
from ._streams import unicode_problem

Description: TypeAlias = dict[str, str | int]

_DESCRIPTORS = ("/dev/fd/", "/dev/std", "/proc/")
_MEGABYTE = 1_000_000


def check_paths(options: RunOptions) -> None:
    """Raise a usage error for paths that cannot be read or written, or that overlap."""
    for name, value in _all_values(options).items():
        text = os.path.realpath(value) if isinstance(value, Path) else str(value)
        if problem := unicode_problem(text):
            raise _error(name, problem)
    inputs = _input_paths(options)
    for name, path in inputs.items():
        _check_kind(name, path)
        _check_overlap(name, path, options)
    _check_checkpoint(options)


def check_space(options: RunOptions) -> None:
    """Raise a usage error if the output folder has no space for the copy of the cells."""
    needed = 0 if options.no_annotated else _size(options.cells)
    free = shutil.disk_usage(options.out).free
    if needed + _MEGABYTE > free:
        raise out_error(
            f"'{options.out}' has {free / _MEGABYTE:,.1f} MB of free space, but the copy of the "
            f"cells needs {needed / _MEGABYTE:,.1f} MB; choose another folder, or add "
            "--no-annotated."
        )


@contextmanager
def unchanged_inputs(options: RunOptions) -> Iterator[dict[str, Description]]:
    """Describe the input files, and check after the block that they are the same.

    Parameters
    ----------
    options : RunOptions

    Yields
    ------
    dict of dict
        ``path``, ``size`` and ``sha256`` of each input, by the name of its option.

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
        yield described
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
        except OSError:
            return False


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _all_values(options: RunOptions) -> dict[str, object]:
    return {each.name: value for each, value in option_values(options) if value is not None}


def _input_paths(options: RunOptions) -> dict[str, Path]:
    """Return the files that are read, by the name of their option."""
    return {
        each.name: path
        for each, path in option_values(options)
        if each.metadata["settings"].get("exists") and path is not None
    }


def _check_kind(name: str, path: Path) -> None:
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
    results = {f"{name} of --out": options.out / name for name in result_files()}
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
