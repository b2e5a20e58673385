"""Advisory locks on open files; closing the file releases them, also if the process is killed."""

import errno
import sys

_IN_USE = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, *, shared: bool) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int, *, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def lock_file(file: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting.

    Parameters
    ----------
    file : int
        File descriptor, open for reading and writing.
    shared : bool, default=False
        Whether others may hold a shared lock too. On Windows every lock is exclusive.

    Returns
    -------
    bool
        False if the lock of another process, or of this one, prevents it.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        _lock(file, shared=shared)
    except OSError as error:
        if error.errno in _IN_USE:
            return False
        raise
    return True
