"""The page: data, scripts and style in one file, which forbids itself everything else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ._methods import Methods
from ._network import empty_network
from ._pictures import Picture
from ._results import RunResults
from ._steps import step_rows
from ._tables import Grid, grids
from ._text import as_text
from ._warnings_advice import advised

if TYPE_CHECKING:
    from markupsafe import Markup

# Parts of run.json that the page shows if they are there.
_OPTIONAL = ("versions", "parameters", "inputs", "skipped_groups")
_COUNTED = ("cells", "genes")
_SCRIPTS = ("tables.js", "layout.js", "network.js", "page.js")


def render(results: RunResults, pictures: Sequence[Picture], note: str = "") -> str:
    """Return the page as text; `note` is a sentence about the pictures."""
    from bokeh.resources import Resources
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    tables = grids(results)
    components = ["bokeh", "bokeh-widgets", "bokeh-tables"]
    library = Resources(mode="inline", components=components, log_level="error").js_raw
    scripts = [*map(_as_script, library), *(_as_script(_own(name)) for name in _SCRIPTS)]
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else as_text(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = _size
    return environment.get_template("page.html").render(
        **_content(results),
        tables=tables,
        pictures=pictures,
        note=note,
        scripts=scripts,
        policy=_policy(scripts),
        style=Markup(_own("page.css")),
        data=Markup(_as_json(_data(tables))),
    )


def _content(results: RunResults) -> dict[str, Any]:
    """Return what the run recorded, and counts of the links."""
    run, links = results.run, results.links
    counts = {
        **{f"{name} kept": _steps(run)[name]["kept"] for name in _COUNTED if name in _steps(run)},
        "TFs with links": links["TF"].nunique(),
        "targets with links": links["target"].nunique(),
        "links": len(links),
    }
    if "kept" in links.columns:
        counts["links kept by all tests"] = int(links["kept"].sum())
    return {
        "run": {**{name: {} for name in _OPTIONAL}, "started": "", **run},
        "counts": counts,
        "steps": step_rows(_steps(run)),
        "groups": {name: step_rows(steps) for name, steps in run.get("groups", {}).items()},
        "warnings": advised(run.get("warnings", [])),
        "methods": Methods(run, links),
        "version": __version__,
        "written": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def _steps(run: Any) -> dict[str, Any]:
    return run.get("steps", {})


def _data(tables: Sequence[Grid]) -> dict[str, Any]:
    """Return the models of Bokeh, and what the scripts know of them."""
    from bokeh.embed import json_item

    return {
        "tables": [
            {"key": grid.key, "fields": grid.fields(), "item": json_item(grid.model())}
            for grid in tables
        ],
        "network": json_item(empty_network()),
    }


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _as_script(text: str) -> Markup:
    """Return a script that ends where its element ends."""
    from markupsafe import Markup

    return Markup(text.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


def _policy(scripts: Sequence[str]) -> str:
    """Return the policy of the page: its own scripts by their hash, and no address but its own."""
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _as_json(data: Any) -> str:
    """Return JSON in which no text ends the element around it."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _size(n_bytes: object) -> str:
    """Return a size of a file in a unit that fits."""
    if not isinstance(n_bytes, int):
        return str(n_bytes)
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"
