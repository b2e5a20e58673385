"""Folders of finished parts, from which an interrupted computation resumes.

A folder given as `checkpoint` holds any number of computations. Each has a subfolder, whose name
contains a checksum of all that determines the results. `checkpoint.json` in it states what that is.
Each part is a file of its own, which names the part and the computation.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from numpy.typing import NDArray

from .._warnings import is_in_search, warn
from . import _archive as archive
from ._atomic import remove_unfinished, replacing
from ._errors import like
from ._lock import lock_file, share_lock

# Numbers, strings and checksums that determine the results, by a readable name.
Identity: TypeAlias = Mapping[str, Any]

_FORMAT = 2
_MANIFEST = "checkpoint.json"
_LOCK = "lock"
_OLD_PARTS = "targets-*.npz"
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
# Digits of a checksum that are shown.
_SHOWN = 8

_ATTEMPTS, _PAUSE = 100, 0.01


@dataclass(frozen=True)
class PartKind:
    """A kind of computation, and of its parts.

    Attributes
    ----------
    name : str
        Start of the name of each subfolder.
    title : str
        Name of the computation, for messages.
    content : str
        Content of a file, for messages.
    version : int
        Version of the format of the files.
    again : str
        Sentence which states that a part is computed again.
    """

    name: str
    title: str
    content: str
    version: int
    again: str


class Part(NamedTuple):
    """A part of a computation: the name of its file, and what the file holds."""

    file: str
    title: str


class PartFolder:
    """The finished parts of one computation.

    Within ``with``, the folder exists and counts as in use. A block that ends without an error
    marks the computation as finished.

    Parameters
    ----------
    directory : path-like
        The user's folder, made if it does not exist.
    kind : PartKind
    identity : mapping of str to None, bool, number or str
        All that determines the results.
    """

    def __init__(
        self, directory: str | os.PathLike[str], kind: PartKind, identity: Identity
    ) -> None:
        self.directory, self.kind, self.identity = Path(directory), kind, dict(identity)
        self.name = f"{kind.name}-{_digest(kind, identity)}"
        self.path = self.directory / self.name
        self._lock: int | None = None
        self._is_finished = False

    def __enter__(self) -> Self:
        """Make the folder, lock it, and warn if the user may expect another one.

        Raises
        ------
        ValueError
            If the folder was written by a later version of this package.
        OSError
            If the folder cannot be made, read or written.
        """
        try:
            with self._explaining("make or read"):
                is_new = not self.path.is_dir()
                self.path.mkdir(parents=True, exist_ok=True)
                self._lock = _hold(self.path)
                self._check_manifest()
                if is_new and not is_in_search():
                    self._warn_of_others()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the folder."""
        if kind is None and not self._is_finished:
            with suppress(OSError):  # all parts are stored, which is sufficient
                self._write_manifest(is_finished=True)
        self._release()

    def read(self, part: Part) -> dict[str, NDArray[Any]] | None:
        """Return the arrays of a part, None if there is no such file.

        Raises
        ------
        ValueError
            If the file is damaged, or holds something else.
        OSError
            If it cannot be read.
        """
        path = self.path / part.file
        with self._explaining("read"):
            if not path.exists():
                return None
            kind = self.kind
            return archive.read_arrays(path, kind.content, kind.version, self._title(part))

    def warn_of_damage(self, error: ValueError) -> None:
        """Warn that a part cannot be used and is computed again."""
        warn(f"`checkpoint`: {error} {self.kind.again}")

    def write(self, part: Part, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the arrays of a part, completely or not at all.

        Raises
        ------
        OSError
            If the file cannot be written; the message names `checkpoint` and the folder.
        """
        with self._explaining("write to"):
            if self._is_finished:
                self._write_manifest(is_finished=False)
            kind = self.kind
            archive.write_arrays(
                self.path / part.file, kind.content, kind.version, arrays, self._title(part)
            )

    def _title(self, part: Part) -> str:
        return f"{part.title} of {self.name}"

    @contextmanager
    def _explaining(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            raise like(
                error,
                f"`checkpoint`: cannot {what} the folder '{self.path}' ({reason}). It must be a "
                "folder that can be written to, with free space, and must not be moved or removed "
                "during the fit. Give such a folder and fit again; what is stored in it is not "
                "computed again.",
            ) from error

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _check_manifest(self) -> None:
        found = self._read_manifest()
        if found is None:
            self._write_manifest(is_finished=False)
        self._is_finished = bool(found and found["finished"])

    def _read_manifest(self) -> dict[str, Any] | None:
        """Return the manifest, None if there is none; warn if it is damaged."""
        path = self.path / _MANIFEST
        if not path.exists():
            return None
        try:
            found = _parse(path)
        except _DAMAGED as error:
            problem = f"is damaged ({error})"
        else:
            if found["format"] > _FORMAT:
                raise ValueError(
                    f"`checkpoint`: '{self.path}' was written by a later version of "
                    f"scifate_sklearn (format {found['format']}; this version reads {_FORMAT}). "
                    "Update scifate_sklearn, or give another folder."
                )
            is_known = (found["format"], found["kind"]) == (_FORMAT, self.kind.name)
            if is_known and not _differing(found["fit"], self.identity):
                return found
            problem = "belongs to another fit: it was moved or changed"
        # Each part names its computation, so the parts can still be used.
        warn(f"`checkpoint`: {path} {problem}. It is written again, and all parts are checked.")
        return None

    def _write_manifest(self, *, is_finished: bool) -> None:
        manifest = {
            "format": _FORMAT,
            "kind": self.kind.name,
            "finished": is_finished,
            "fit": self.identity,
        }
        with replacing(self.path / _MANIFEST) as unfinished:
            unfinished.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        self._is_finished = is_finished

    def _warn_of_others(self) -> None:
        """Warn if an unfinished computation is there that the user may want to resume."""
        problem = self._other_layout() or self._other_fit()
        if problem:
            warn(f"`checkpoint`: {problem}")

    def _other_layout(self) -> str:
        has_parts = any(self.directory.glob(_OLD_PARTS))
        if not (has_parts and (self.directory / _MANIFEST).is_file()):
            return ""
        return (
            f"'{self.directory}' has files in the layout of an earlier version ({_MANIFEST} and "
            f"{_OLD_PARTS}), which do not name their targets. They are not used, and this fit "
            "starts from the beginning. Delete these files, or give another folder."
        )

    def _other_fit(self) -> str:
        others = [
            (_differing(found["fit"], self.identity), path, found["fit"])
            for path, found in self._unfinished()
        ]
        if not others:
            return ""
        names, path, there = min(others, key=lambda other: (len(other[0]), other[1]))
        listed = "; ".join(
            f"{name}: {_shown(there.get(name))} there, {_shown(self.identity.get(name))} here"
            for name in names
        )
        title = self.kind.title
        if not names:
            return (
                f"'{path}' holds this {title}, but was renamed or copied, and is not used. To "
                f"resume it, give it the name '{self.name}'; otherwise delete it."
            )
        return (
            f"'{self.directory}' holds an unfinished {title}, but another one. What differs: "
            f"{listed}. This {title} starts from the beginning. To resume the other one, fit with "
            f"its data and parameters; to discard it, delete '{path}'."
        )

    def _unfinished(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield the subfolders of unfinished computations, which no process works on."""
        for path in sorted(self.directory.glob(f"{self.kind.name}-*")):
            with suppress(OSError, *_DAMAGED):
                found = _parse(path / _MANIFEST)
                is_other = path.name != self.name and found["kind"] == self.kind.name
                if is_other and not found["finished"] and not _is_held(path):
                    yield path, found


def _digest(kind: PartKind, identity: Identity) -> str:
    # 1 and 1.0 are the same parameter.
    plain = {name: float(v) if type(v) is int else v for name, v in identity.items()}
    text = json.dumps([_FORMAT, kind.name, kind.version, plain], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parse(path: Path) -> dict[str, Any]:
    if not path.is_file():  # reading a pipe would wait for a writer
        raise ValueError("not a regular file")
    found = json.loads(path.read_text(encoding="utf-8"))
    its_format = int(found["format"])
    if its_format > _FORMAT:  # nothing else is known of it
        return {"format": its_format, "kind": "", "finished": True, "fit": {}}
    return {
        "format": its_format,
        "kind": str(found["kind"]),
        "finished": found["finished"] is True,
        "fit": dict(found["fit"]),
    }


def _differing(there: Identity, here: Identity) -> list[str]:
    """Return the names of the entries that differ."""
    stored = json.loads(json.dumps(dict(here)))
    return [name for name in stored | dict(there) if stored.get(name) != there.get(name)]


def _shown(value: Any) -> str:
    is_checksum = isinstance(value, str) and len(value) == 64
    return f"'{value[:_SHOWN]}…'" if is_checksum else repr(value)


def _hold(path: Path) -> int | None:
    """Return an open file with a shared lock, None if there cannot be one.

    If no other process uses the folder, files that killed processes left are removed.
    """
    try:
        file = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # a finished fit may be in a folder without write permission
        return None
    with suppress(OSError):  # a file system without locks
        if lock_file(file):
            remove_unfinished(path)
        for _ in range(_ATTEMPTS):
            if share_lock(file):
                break
            time.sleep(_PAUSE)  # another process has just locked the file to see who uses it
    return file


def _is_held(path: Path) -> bool:
    """Return whether a process works on a computation; True if that cannot be known."""
    try:
        file = os.open(path / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not lock_file(file)
    except OSError:
        return True
    finally:
        os.close(file)
