"""Output folder of a run: locked by one run, and changed in one step.

A run writes into a hidden folder within the output folder. When all files are complete, they are
moved to their places, ``run.json`` last. A run that ends earlier leaves the output folder as it
was.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import stat
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from ._commands import evidence_table_names
from ._signals import ignore_signals

_TABLES = ("links", "targets", "links_filtered", "ledger")

REPORT = "report.html"
# What makes a folder one of results.
RUN = "run.json"
_LOCK = ".scifate-lock"
_PLAN = "plan"
_ATTEMPTS = 100
# Folders of unfinished results, and unfinished files of earlier versions.
_LEFTOVER = re.compile(r"\.scifate-[0-9a-f]{32}|\..+\.[0-9a-f]{32}\.part")


def result_files() -> list[str]:
    """Return the names of all files that a run may write, ``run.json`` last."""
    tables = [f"{name}.csv" for name in (*_TABLES, *evidence_table_names())]
    return [*tables, REPORT, "annotated.h5ad", "annotated.h5mu", "annotated.zarr", RUN]


@dataclass(frozen=True)
class OutFolder:
    """An output folder that no other run uses.

    Attributes
    ----------
    path : Path
    staging : Path
        Folder for unfinished results.
    may_replace : bool, default=False
        Whether earlier results may be replaced.
    """

    path: Path
    staging: Path
    may_replace: bool = False

    def publish(self) -> None:
        """Replace the results of earlier runs by the files in `staging`.

        The old ``run.json`` is removed before the first new file appears, and the new one is moved
        last. If that is interrupted, `discard` restores the earlier results.

        Raises
        ------
        typer.BadParameter
            If files that must not, or cannot, be replaced have appeared since the start.
        """
        from ..files import replacing

        names = result_files()
        old = [name for name in reversed(names) if os.path.lexists(self.path / name)]
        if old and not self.may_replace:
            raise out_error(
                f"'{self.path / old[0]}' has appeared during the run; move it, and run again."
            )
        _check_results(self.path)
        ignore_signals()
        new = [name for name in names if (self.staging / name).exists()]
        with replacing(self.staging / _PLAN) as unfinished:
            unfinished.write_text("\n".join(new))
        self._retired.mkdir()
        for name in old:
            _make_movable(self.path / name)
            (self.path / name).rename(self._retired / name)
        for name in new:
            (self.staging / name).rename(self.path / name)
        # The exit code of a run that has written its results is 0.
        atexit.register(ignore_signals)

    def discard(self) -> None:
        """Remove `staging`; if results were moved in part, restore the earlier ones before."""
        plan = self.staging / _PLAN
        if plan.is_file():
            new = plan.read_text().split("\n")
            moved = [name for name in new if not (self.staging / name).exists()]
            if len(moved) < len(new):
                self._restore(moved)
            plan.unlink()  # before the files that it names
        remove(self.staging)

    def _restore(self, moved: list[str]) -> None:
        for name in moved:
            (self.path / name).rename(self.staging / name)
        for name in result_files():
            if os.path.lexists(self._retired / name):
                (self._retired / name).rename(self.path / name)

    @property
    def _retired(self) -> Path:
        return self.staging / "retired"


@contextmanager
def claim(out: Path, overwrite: bool) -> Iterator[OutFolder]:
    """Create and lock an output folder, and remove what killed runs left in it.

    Parameters
    ----------
    out : Path
    overwrite : bool
        Whether the folder may hold results.

    Yields
    ------
    OutFolder

    Raises
    ------
    typer.BadParameter
        If the folder is not empty, is in use, or cannot be written to.
    """
    # Whether parts of results belong to a run that was killed is known only after `_sweep`.
    check_out_folder(out, overwrite or bool(leftovers(out)))
    created = [path for path in (out.absolute(), *out.absolute().parents) if not path.exists()]
    folder = OutFolder(out, out / f".scifate-{uuid.uuid4().hex}", overwrite)
    lock = None
    try:
        with _usage_errors(out):
            lock, is_locked = _acquire(out)
            if is_locked:
                _sweep(out)
            check_out_folder(out, overwrite)
            folder.staging.mkdir()
        yield folder
    finally:
        ignore_signals()
        try:
            folder.discard()
        finally:
            if lock is not None:
                _release(out, lock)
        for path in created:
            with suppress(OSError):  # not empty
                path.rmdir()


def check_out_folder(out: Path, overwrite: bool) -> None:
    """Raise a usage error if results cannot be written to `out`, or would mix with others."""
    try:
        is_taken = out.is_dir() and any(map(_is_of_user, out.iterdir()))
        existing = next(path for path in (out, *out.absolute().parents) if os.path.lexists(path))
    except (OSError, ValueError) as error:  # a name that no file can have
        problem = f"'{str(out)[:100]}' cannot be a folder ({error}); choose another one."
        raise out_error(problem) from error
    if is_taken and not overwrite:
        raise out_error(f"folder '{out}' is not empty; choose another one, or add --overwrite.")
    if existing.is_symlink() and not existing.exists():
        raise out_error(f"'{existing}' is a link to a folder that does not exist; remove it.")
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise out_error(f"cannot write to '{existing}'; choose another folder.")
    _check_results(out)


def _check_results(out: Path) -> None:
    """Raise a usage error if results in `out` cannot be replaced."""
    for name in result_files():
        path, is_folder = out / name, name.endswith(".zarr")
        if path.exists() and path.is_dir() != is_folder:
            kinds = ("a file", "a folder") if is_folder else ("a folder", "a file")
            raise out_error(
                f"'{path}' is {kinds[0]}, but {kinds[1]} of this name belongs to the results; "
                "move it, or choose another folder."
            )
        if os.path.lexists(path) and not _can_be_removed(path):
            raise out_error(
                f"'{path}' belongs to another user and cannot be replaced; choose another folder."
            )


def _can_be_removed(path: Path) -> bool:
    """Return whether this user can move and remove an entry of a folder that can be written to."""
    if sys.platform == "win32":
        return True
    user, folder, state = os.geteuid(), path.parent.stat(), path.lstat()
    if folder.st_mode & stat.S_ISVTX and user not in (0, folder.st_uid, state.st_uid):
        return False
    if not stat.S_ISDIR(state.st_mode):
        return True
    # The owner can change permissions. Folders that cannot be listed belong to another user too.
    own = [path, *(Path(each, name) for each, names, _ in os.walk(path) for name in names)]
    return all(
        each.is_symlink() or each.stat().st_uid == user or os.access(each, os.W_OK | os.X_OK)
        for each in own
    )


def leftovers(out: Path) -> list[str]:
    """Return the names of entries of `out` that the next run removes, besides results."""
    try:
        return [path.name for path in out.iterdir() if not _is_of_user(path)]
    except (OSError, ValueError):  # not a folder that can be read
        return []


def out_error(problem: str) -> typer.BadParameter:
    """Return a usage error about the option --out."""
    return typer.BadParameter(problem, param_hint="--out")


def remove(path: Path) -> None:
    """Remove a file or a folder, also a folder without write permission."""
    if path.is_dir() and not path.is_symlink():
        _make_movable(path)
        for folder, names, _ in os.walk(path):
            for name in names:
                _make_movable(Path(folder, name))
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _make_movable(path: Path) -> None:
    """Add the owner's permissions to a folder: moving and emptying it require them."""
    if path.is_dir() and not path.is_symlink():
        mode = path.stat().st_mode
        if mode & 0o700 != 0o700:
            path.chmod(mode | 0o700)


def _is_of_user(path: Path) -> bool:
    return path.name != _LOCK and not _LEFTOVER.fullmatch(path.name)


def _sweep(out: Path) -> None:
    """Remove what killed runs left, and restore what they had not replaced completely."""
    for path in list(out.iterdir()):
        if _LEFTOVER.fullmatch(path.name):
            OutFolder(out, path).discard()


@contextmanager
def _usage_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise out_error(f"cannot write to '{out}' ({error}); choose another folder.") from error


def _acquire(out: Path) -> tuple[int, bool]:
    """Return an open lock file, and whether it is locked: some file systems have no locks."""
    from ..files import lock_file  # imports NumPy

    for _ in range(_ATTEMPTS):
        try:
            out.mkdir(parents=True, exist_ok=True)
            file = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # another run has just removed the folder
            continue
        try:
            is_free = lock_file(file)
        except OSError as error:
            typer.echo(
                f"Warning: the file system of '{out}' has no locks ({error}). Start no other run "
                "with this folder.",
                err=True,
            )
            return file, False
        if not is_free:
            os.close(file)
            problem = f"folder '{out}' is in use by another run; wait for its end, or choose "
            raise out_error(problem + "another folder.")
        # The file that was locked may be one that another run has just removed.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(out / _LOCK)):
                return file, True
        os.close(file)
    raise OSError(f"the lock file {_LOCK} disappears again and again")


def _release(out: Path, lock: int) -> None:
    # Removed while it is locked: afterwards it may be the lock of another run.
    with suppress(OSError):  # Windows removes no open file
        (out / _LOCK).unlink()
    os.close(lock)
    if sys.platform == "win32":
        with suppress(OSError):
            (out / _LOCK).unlink()
