"""Cache of compiled kernels that a read-only, full or damaged disk does not disturb."""

import pickle
from contextlib import suppress
from hashlib import sha256
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache
from numba.core.serialize import dumps

from ..._warnings import warn
from .._compiling import compilation_starts

_warned: list[str] = []


def _warn_once(reason: object) -> None:
    """Warn that compiled functions are not kept, once per process."""
    if not _warned:
        _warned.append(str(reason))
        warn(
            f"Compiled functions cannot be kept ({reason}), so each process compiles them again, "
            "which takes up to a minute. Set the environment variable NUMBA_CACHE_DIR to a folder "
            "that can be written."
        )


class CheckedContents(CompileResultCacheImpl):
    """Contents of a cache file with their checksum: damaged machine code would crash."""

    def reduce(self, cres: Any) -> tuple[bytes, bytes]:
        """Return the checksum and the contents of a compiled function."""
        contents = dumps(super().reduce(cres))
        return sha256(contents).digest(), contents

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        """Return the compiled function, or raise ValueError if its contents are damaged."""
        checksum, contents = payload
        if sha256(contents).digest() != checksum:
            raise ValueError("the checksum is wrong")
        return super().rebuild(target_context, pickle.loads(contents))


class ForgivingCache(FunctionCache):
    """Cache of numba whose errors do not prevent a compilation."""

    _impl_class = CheckedContents

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return a compiled function, or None if the cache lacks it or is damaged."""
        # Unpickling damaged bytes raises errors of any kind.
        try:
            found = super().load_overload(sig, target_context)
        except Exception:
            # With an empty index, the next save replaces the damaged files.
            with suppress(OSError):
                self.flush()
            found = None
        if found is None:
            compilation_starts()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function, or warn that it cannot be kept."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn_once(error.strerror or error)
        except Exception:  # the index was damaged after the load
            with suppress(OSError):
                self.flush()


class AbsentCache(NullCache):
    """No cache, which the first compilation of the process reports."""

    def load_overload(self, sig: Any, target_context: Any) -> None:
        """Return None: the function is compiled."""
        compilation_starts()

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Warn that a compiled function is not kept."""
        _warn_once("no cache folder can be written")


def cache_of(function: Any) -> ForgivingCache | AbsentCache:
    """Return the cache of a function, in the first of numba's folders that can be written."""
    try:
        return ForgivingCache(function)
    except (RuntimeError, OSError):  # no folder, or it vanished meanwhile
        return AbsentCache()
