"""The command line: `scifate demo` on simulated cells, `scifate run` on the user's."""

from ._app import app

__all__ = ["app"]
