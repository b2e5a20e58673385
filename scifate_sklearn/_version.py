"""Version of the package, without further imports."""

__version__ = "0.2.0.dev0"
