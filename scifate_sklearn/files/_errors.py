"""Errors of the operating system with messages for users."""


def like(error: OSError, message: str) -> OSError:
    """Return an error of the same class and number with another message.

    Parameters
    ----------
    error : OSError
    message : str
    """
    copy = type(error)(message)
    copy.errno = error.errno
    return copy
