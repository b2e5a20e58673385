"""A report on links: one HTML file that needs no network (extra ``report``: Bokeh and Jinja2).

Bokeh and Jinja2 are imported when a report is written.
"""

from ._packages import require_packages
from ._results import run_inputs
from ._write import write_report

__all__ = ["require_packages", "run_inputs", "write_report"]
