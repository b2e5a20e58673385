"""Advisory locks on open files; closing the file releases them, also if the process is killed."""

import errno
import sys
from collections.abc import Callable

_IN_USE = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _share(file: int) -> None:
        """Do nothing: every lock is exclusive."""
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _share(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def lock_file(file: int) -> bool:
    """Lock an open file exclusively, without waiting.

    Parameters
    ----------
    file : int
        File descriptor, open for reading and writing.

    Returns
    -------
    bool
        False if another lock, of any process, prevents it.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    return _is_done(_lock, file)


def share_lock(file: int) -> bool:
    """Lock an open file together with others, without waiting; replaces an exclusive lock.

    Parameters, results and errors are those of `lock_file`. On Windows nothing is done.
    """
    return _is_done(_share, file)


def _is_done(lock: Callable[[int], None], file: int) -> bool:
    try:
        lock(file)
    except OSError as error:
        if error.errno in _IN_USE:
            return False
        raise
    return True
