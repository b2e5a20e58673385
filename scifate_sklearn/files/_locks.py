"""Locks of open files, which the system releases when their process ends."""

import sys

if sys.platform == "win32":
    import msvcrt

    def lock(file: int) -> None:
        """Lock an open file; raise OSError if another process holds the lock, or there are none."""
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def lock(file: int) -> None:
        """Lock an open file; raise OSError if another process holds the lock, or there are none."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
