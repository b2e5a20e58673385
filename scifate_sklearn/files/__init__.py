"""Safe reading and writing of files: atomic replacement and checked archives."""

from . import _archive as archive
from ._atomic import replacing

__all__ = ["archive", "replacing"]
