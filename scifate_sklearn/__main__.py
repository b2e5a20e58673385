"""The command line as ``python -m scifate_sklearn``."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="python -m scifate_sklearn")
