"""The packages of the extra ``report``."""

from importlib.util import find_spec


def require_packages() -> None:
    """Raise ImportError, which names the extra, if Bokeh or Jinja2 is not installed."""
    names = {"Bokeh": "bokeh", "Jinja2": "jinja2"}
    if missing := [name for name, module in names.items() if find_spec(module) is None]:
        raise ImportError(
            f"A report requires {' and '.join(missing)}, which the extra `report` installs: pip "
            "install 'scifate_sklearn[report]'."
        )
